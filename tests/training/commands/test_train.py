"""scripts/train.py: its options."""

from pathlib import Path

import pytest

from embeddings.training.config import LOSSES, Augmentation, Config
from scripts.train import main as train_command

pytestmark = pytest.mark.slow  # needs TensorFlow


def test_losses_and_augmentations_are_set_one_by_one(monkeypatch: pytest.MonkeyPatch):
    seen: list[Config] = []

    def record(data: Path, folder: Path, config: Config, command: str) -> dict[str, object]:
        seen.append(config)
        return {"steps": 0, "minutes": 0, "best": {"step": 0}}

    monkeypatch.setattr("embeddings.training.train.train", record)
    needed = ["--data", "d", "--run", "r", "--weights", "w"]
    assert train_command([*needed, "--loss", "items=0", "--augment", "blur=0", "--augment", "crop=0.5"]) == 0
    assert seen[0].losses == LOSSES | {"items": 0}
    assert seen[0].augmentation == Augmentation(blur=0, crop=0.5)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--loss", "beauty=1"], "'beauty=1' names none of category"),
        (["--loss", "items=inf"], "'items=inf' should be like items=0.5, from 0 up"),
        (["--augment", "fog=1"], "'fog=1' names none of ground"),
        (["--augment", "blur=2"], "'blur=2' should be like blur=0.5, from 0 to 1"),
        (["--augment", "blur"], "'blur' should be like blur=0.5, from 0 to 1"),
    ],
)
def test_a_wrong_loss_or_augmentation_is_named(option: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        train_command(["--data", "d", "--run", "r", "--weights", "w", *option])
    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())

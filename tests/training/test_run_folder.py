"""A run's folder: what a finished run leaves, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import ModelError
from embeddings.training.views.batches import Batches
from tests.training.conftest import TrainingRun

# Keras 3.15 saves weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def test_a_finished_run_leaves_its_folder(finished_run: TrainingRun):
    from embeddings.training.run_folder import load_embedder

    run = finished_run.folder
    assert {path.name for path in run.iterdir()} == {
        *("config.json", "checkpoint.npz", "best.weights.h5", "heads.npz", "classes.json"),
        *("log.csv", "curves.png", "summary.json"),
    }
    assert json.loads((run / "config.json").read_text())["steps"] == 4
    with (run / "log.csv").open() as stream:
        assert [float(row["step"]) for row in csv.DictReader(stream)] == [2, 4]
    assert load_embedder(run).output_shape == (None, 24)


def test_the_card_records_how_a_model_was_made_without_paths(finished_run: TrainingRun):
    from embeddings.training.run_folder import how_made

    made = how_made(finished_run.folder)
    assert made["command"] == "train --data photos"
    assert (made["weights"], made["steps"]) == ("start.weights.h5", 4)
    assert str(finished_run.folder.parent) not in json.dumps(made)


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    from embeddings.training.run_folder import load_embedder

    with pytest.raises(ModelError, match="not the folder of a training run"):
        load_embedder(tmp_path)


def test_a_resumed_run_takes_the_same_steps_as_an_uninterrupted_one(batches: Batches, tmp_path: Path):
    from embeddings.training.run_folder import load_checkpoint, save_checkpoint
    from tests.training.networks import step, tiny_trainee

    whole = tiny_trainee(batches)
    for number in range(2):
        step(whole, batches.batch(number))
    save_checkpoint(tmp_path, whole, 2, 12.5)
    expected = [float(step(whole, batches.batch(number))["loss"]) for number in (2, 3)]

    resumed = tiny_trainee(batches)
    assert load_checkpoint(tmp_path, resumed) == (2, 12.5)
    assert [float(step(resumed, batches.batch(number))["loss"]) for number in (2, 3)] == pytest.approx(
        expected, rel=1e-4
    )


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(batches: Batches, tmp_path: Path):
    import keras

    from embeddings.training.run_folder import load_checkpoint, save_checkpoint
    from embeddings.training.trainee import Trainee
    from tests.training.networks import tiny_embedder, tiny_trainee

    save_checkpoint(tmp_path, tiny_trainee(batches), 1, 0.0)
    other = Trainee(tiny_embedder(), {**batches.classes, "colour": ("one",)}, batches.pairs)
    other.compile(optimizer=keras.optimizers.AdamW(1e-3))
    with pytest.raises(ModelError, match="other options"):
        load_checkpoint(tmp_path, other)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot resume"):
        load_checkpoint(tmp_path, other)


@pytest.mark.parametrize(
    ("losses", "heads"),
    [
        ({"kind": 1.3, "palette": 0.0}, {"kind"}),
        ({"kind": 0.0, "implied": 0.65}, {"kind"}),
        ({"palette": 1.0}, {"palette"}),
    ],
)
def test_untrained_heads_are_left_out(tmp_path: Path, losses: dict[str, float], heads: set[str]):
    from embeddings.training.run_folder import load_heads

    (tmp_path / "config.json").write_text(json.dumps({"losses": losses}))
    np.savez(tmp_path / "heads.npz", kind=np.eye(2), palette=np.eye(3))
    assert set(load_heads(tmp_path)) == heads


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path):
    from embeddings.training.run_folder import replacing

    path = tmp_path / "log.csv"
    path.write_text("before")

    def break_off() -> None:
        with replacing(path) as unfinished:
            unfinished.write_text("aft")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == "before"

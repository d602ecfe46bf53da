"""What the three commands of training have in common: --help, a user's mistakes, and a quick start."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scripts import convert as convert_command
from scripts import evaluate as evaluate_command
from scripts import train as train_command

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "models" / "float32.tflite"


@pytest.mark.parametrize("command", [train_command, convert_command, evaluate_command])
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        command.main(["--help"])
    assert exit_.value.code == 0
    assert "python scripts/" in capsys.readouterr().out


def _error(command: ModuleType, words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert command.main(words) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    return error


def test_a_users_mistakes_are_one_line(shapes: Path, tmp_path: Path, capsys):
    nowhere, out = str(tmp_path / "nowhere"), str(tmp_path / "out")
    for words, message in [
        (["--data", str(shapes), "--model", nowhere], "cannot read the model"),
        (["--data", nowhere, "--model", str(MODEL)], "holds no photos"),
    ]:
        assert message in _error(evaluate_command, [*words, "--out", out], capsys)
    for words, message in [
        (["--phone-photos", "-1"], "--phone-photos must be 0 or more"),
        ([], "nothing to measure"),
    ]:
        with pytest.raises(SystemExit) as exit_:
            evaluate_command.main(["--data", str(shapes), "--out", out, *words])
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


@pytest.mark.slow  # imports Keras
def test_mistakes_that_keras_is_loaded_for_are_one_line(shapes: Path, tmp_path: Path, capsys):
    nowhere, out = str(tmp_path / "nowhere"), str(tmp_path / "out")
    train = ["--data", nowhere, "--run", out, "--weights", "imagenet"]
    assert "labels.csv" in _error(train_command, train, capsys)
    convert = ["--data", nowhere, "--run", nowhere, "--out", out]
    assert "not the folder of a training run" in _error(convert_command, convert, capsys)
    evaluate = ["--data", str(shapes), "--baselines", nowhere, "--out", out]
    assert "cannot load" in _error(evaluate_command, evaluate, capsys)


def test_reading_and_measuring_do_not_load_keras():
    modules = (
        *(f"embeddings.training.{name}" for name in ("data.datasets", "views.batches", "config")),
        *(f"embeddings.training.evaluation.{name}" for name in ("validation", "evaluation", "baselines")),
        *(f"scripts.reporting.{name}" for name in ("evaluation_page", "mistakes")),
    )
    code = "".join(f"import {module}\n" for module in modules)
    code += "import scripts.evaluate, sys\nassert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

"""What the three commands of training have in common: --help, a user's mistakes, and a quick start."""

import subprocess
import sys
from pathlib import Path

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


def test_a_users_mistakes_are_one_line(shapes: Path, tmp_path: Path, capsys):
    nowhere, out = str(tmp_path / "nowhere"), str(tmp_path / "out")
    for command, words, message in [
        (train_command, ["--data", nowhere, "--run", out, "--weights", "imagenet"], "labels.csv"),
        (convert_command, ["--data", nowhere, "--run", nowhere, "--out", out], "not the folder of a training run"),
        (evaluate_command, ["--data", str(shapes), "--model", nowhere, "--out", out], "cannot read the model"),
        (evaluate_command, ["--data", nowhere, "--model", str(MODEL), "--out", out], "holds no photos"),
        (evaluate_command, ["--data", str(shapes), "--baselines", nowhere, "--out", out], "cannot load"),
    ]:
        assert command.main(words) == 1
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("error: ")
        assert message in error
    for words, message in [
        (["--phone-photos", "-1"], "--phone-photos must be 0 or more"),
        ([], "nothing to measure"),
    ]:
        with pytest.raises(SystemExit) as exit_:
            evaluate_command.main(["--data", str(shapes), "--out", out, *words])
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err


def test_reading_and_measuring_do_not_load_keras():
    modules = (
        *(f"embeddings.training.{name}" for name in ("data.datasets", "views.batches", "config")),
        *(f"embeddings.training.evaluation.{name}" for name in ("validation", "evaluation", "baselines")),
        *(f"scripts.reporting.{name}" for name in ("evaluation_page", "mistakes")),
    )
    code = "".join(f"import {module}\n" for module in modules)
    code += "import scripts.evaluate, sys\nassert not {'keras', 'tensorflow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

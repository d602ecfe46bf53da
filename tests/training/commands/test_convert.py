"""scripts/convert.py: one file of one run or of several."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from embeddings.embedder import Embedder
from embeddings.training.data.photos import Split
from scripts.convert import main as convert
from tests.training.conftest import TrainingRun

# Keras 3.15 saves weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


@pytest.mark.timeout(600)
def test_two_runs_become_one_file_that_stores_shared_layers_once(
    finished_run: TrainingRun, shapes: Path, tmp_path: Path
):
    from embeddings.training.train import train
    from tests.training.networks import FROZEN_BYTES

    run, other = finished_run.folder, tmp_path / "other"
    train(shapes, other, replace(finished_run.config, steps=2, seed=1), "train --data /home/me/photos --seed 1")
    both, alone = tmp_path / "both.tflite", tmp_path / "alone.tflite"
    options = ["--data", str(shapes), "--two-views", "--attributes", "--format", "fp32"]
    assert convert(["--run", str(run), "--run", str(other), "--out", str(both), *options]) == 0
    assert Embedder(both).dimension == 16
    card = json.loads(both.with_suffix(".json").read_text())
    assert [made["seed"] for made in card["made"]["runs"]] == [0, 1]
    assert convert(["--run", str(run), "--out", str(alone), *options]) == 0
    assert alone.stat().st_size * 2 - both.stat().st_size > 0.95 * FROZEN_BYTES


def test_several_runs_are_joined_by_their_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--run", "one", "--run", "two", "--data", str(tmp_path), "--out", str(tmp_path / "x.tflite")]
    with pytest.raises(SystemExit):
        convert(options)
    assert "add --attributes" in capsys.readouterr().err


def test_runs_of_different_splits_are_not_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs):
        run.mkdir()
        (run / "config.json").write_text(json.dumps({"split": asdict(Split(seed=seed))}))
    options = [
        "--run",
        str(runs[0]),
        "--run",
        str(runs[1]),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "x.tflite"),
    ]
    assert convert([*options, "--attributes"]) == 1
    assert "different splits" in capsys.readouterr().err

"""scripts/convert.py: the file and the card of a run."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from embeddings.embedder import Embedder
from embeddings.sight import with_sight
from embeddings.training.data.datasets import read_photos
from scripts.convert import main as convert
from tests.training.conftest import TrainingRun
from tests.training.shapes import SPLIT

# Keras 3.15 saves weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def test_a_run_becomes_a_file_that_stores_each_layer_once(finished_run: TrainingRun, shapes: Path, tmp_path: Path):
    from tests.training.networks import FROZEN_BYTES

    model = tmp_path / "mine.tflite"
    options = ["--data", str(shapes), "--format", "fp32", "--note", "drawn"]
    assert convert(["--run", str(finished_run.folder), "--out", str(model), *options]) == 0
    assert FROZEN_BYTES < model.stat().st_size < 1.5 * FROZEN_BYTES
    embedder = Embedder(model)
    assert embedder.dimension == 16
    assert embedder.sight is not None
    told = {each.name: each.values for each in embedder.sight.attributes}
    colours = ("black", "blue", "green", "red")
    assert told == {"kind": ("trousers", "tshirts"), "gender": ("men", "women"), "colour": colours}
    card = json.loads(model.with_suffix(".json").read_text())
    assert {name: tuple(about["sure_from"]) for name, about in card["attributes"].items()} == told
    made = card["made"]
    assert (made["seed"], made["steps"], made["note"]) == (0, 4, "drawn")
    assert made["photos"]["train"] > made["photos"]["validation"] > 0


def test_a_run_on_everything_is_converted_with_all_photos(
    finished_run: TrainingRun, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run, model = tmp_path / "run", tmp_path / "mine.tflite"
    shutil.copytree(finished_run.folder, run)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"everything": True}))
    assert convert(["--run", str(run), "--data", str(shapes), "--format", "fp32", "--out", str(model)]) == 0
    photos = [photo for photo in read_photos(shapes, SPLIT) if photo.domain in ("shop", "consumer")]
    made = json.loads(model.with_suffix(".json").read_text())["made"]
    assert made["photos"] == {"train": len(photos), "validation": 0}
    assert made["thresholds"] == "train"
    assert "give --thresholds" in capsys.readouterr().err


def test_thresholds_are_taken_from_another_file(finished_run: TrainingRun, shapes: Path, tmp_path: Path):
    options = ["--run", str(finished_run.folder), "--data", str(shapes), "--format", "fp32"]
    first, second = tmp_path / "first.tflite", tmp_path / "second.tflite"
    assert convert([*options, "--out", str(first)]) == 0
    sight = Embedder(first).sight
    assert sight is not None
    sure = replace(
        sight, attributes=tuple(replace(each, thresholds=(0.5,) * len(each.values)) for each in sight.attributes)
    )
    first.with_suffix(".json").unlink()
    first.write_bytes(with_sight(first.read_bytes(), sure))
    assert convert([*options, "--out", str(second), "--thresholds", str(first)]) == 0
    taken = Embedder(second).sight
    assert taken is not None
    assert {each.thresholds[0] for each in taken.attributes} == {0.5}

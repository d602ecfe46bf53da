"""The evaluation and its commands, on drawn garments and with stand-ins for a model."""

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.embedder import Embedder
from embeddings.preprocess import photo_pixels
from embeddings.training.baselines import colour_histogram
from embeddings.training.colour import central_lab
from embeddings.training.datasets import DatasetError, Split
from embeddings.training.evaluate import Evaluation, as_record, as_table
from embeddings.training.sheets import draw_sheet
from scripts import convert as convert_command
from scripts import evaluate as evaluate_command
from scripts import train as train_command

SPLIT = Split(validation=0.2, test=0.4)
MODEL = Path(__file__).parent.parent / "models" / "float32.tflite"


@pytest.fixture(scope="module")
def evaluation(shapes: Path) -> Evaluation:
    return Evaluation(shapes, SPLIT, "test", phone_photos=10)


def chance(photos):
    return np.random.default_rng(len(photos)).normal(size=(len(photos), 8)).astype(np.float32)


def by_colour(photos):
    """The direction of the garment's colour from middle grey."""
    labs = np.stack([central_lab(photo_pixels(photo)) for photo in photos]) - (50, 0, 0)
    return (labs / np.linalg.norm(labs, axis=1, keepdims=True)).astype(np.float32)


def test_colours_beat_chance_where_colour_is_asked_for(evaluation: Evaluation):
    scores, _ = evaluation.measure(by_colour)
    by_chance, _ = evaluation.measure(chance)
    assert scores["D colour"].mean() > by_chance["D colour"].mean() + 0.2
    assert scores["D colour"].mean() > 0.8
    # No E: its categories need more shop photos than these.
    assert set(scores) == {"A", "C@1", "C@16", "C@1 all", "C@16 all", "D type", "D colour"}
    assert len(scores["C@1"].values) == evaluation.about["simulated phone photos"] == 10
    assert scores["C@16 all"].mean() <= scores["C@16"].mean()


def test_the_record_and_the_table_give_intervals(evaluation: Evaluation):
    scores, _ = evaluation.measure(colour_histogram)
    record = as_record(scores)
    low, high = record["A"]["interval"]
    assert low <= record["A"]["mean"] <= high
    assert set(record["A"]["by category"]) == {"t-shirt", "trousers"}
    table = as_table({"histogram": record, "other": record})
    assert table.count(f"{record['C@1']['mean']:.3f} [") >= 2


def test_the_histogram_is_the_root_of_shares():
    half = Image.new("RGB", (160, 160), (0, 0, 0))
    half.paste((255, 255, 255), (0, 0, 80, 160))
    stream = BytesIO()
    half.save(stream, "PNG")
    (vector,) = colour_histogram([stream.getvalue()])
    assert vector[[0, -1]] == pytest.approx(np.sqrt(0.5))
    assert np.linalg.norm(vector) == pytest.approx(1)


@pytest.mark.parametrize("choice", ["random", "best", "worst"])
def test_sheets_frame_right_results(evaluation: Evaluation, tmp_path: Path, choice):
    _, (answers, _) = evaluation.measure(colour_histogram)
    draw_sheet(answers, choice, tmp_path / "sheet.png", rows=3)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    green = (sheet == (40, 170, 60)).all(axis=2).sum()
    red = (sheet == (200, 50, 40)).all(axis=2).sum()
    assert green + red > 0
    if choice == "best":
        assert green >= red


def test_a_part_too_small_to_search_in_is_refused(shapes: Path):
    with pytest.raises(DatasetError, match="validation part has"):
        Evaluation(shapes, Split(validation=0.01), "validation", 5)


def test_the_command_writes_figures_sheets_and_the_card(shapes: Path, tmp_path: Path, capsys):
    model = tmp_path / "pooled.tflite"
    shutil.copy(MODEL, model)
    model.with_suffix(".json").write_text(json.dumps({"sha256": Embedder(model).sha256, "figures": {}}))
    out = tmp_path / "out"
    words = ["--data", str(shapes), "--model", str(model), "--out", str(out), "--phone-photos", "5", "--card"]
    assert evaluate_command.main(words) == 0
    figures = json.loads((out / "figures.json").read_text())
    assert figures["about"]["part"] == "test"
    assert json.loads(model.with_suffix(".json").read_text())["figures"]["A"] == figures["figures"]["pooled"]["A"]
    assert (out / "pooled-A-worst.png").exists()
    assert "D colour" in capsys.readouterr().out


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
        (evaluate_command, ["--data", str(shapes), "--out", out], "nothing to measure"),
        (evaluate_command, ["--data", str(shapes), "--model", nowhere, "--out", out], "cannot read the model"),
        (evaluate_command, ["--data", str(shapes), "--baselines", nowhere, "--out", out], "cannot load"),
    ]:
        assert command.main(words) == 1
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("error: ")
        assert message in error

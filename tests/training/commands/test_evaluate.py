"""scripts/evaluate.py: what it prints, writes and refuses."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from embeddings.embedder import Embedder
from embeddings.model_card import saw_everything
from scripts import evaluate as evaluate_command

pytestmark = pytest.mark.slow  # needs TensorFlow

MODEL = Path(__file__).parents[2] / "models" / "float32.tflite"


def test_the_command_writes_figures_sheets_and_the_card(shapes: Path, tmp_path: Path, capsys):
    model = tmp_path / "pooled.tflite"
    shutil.copy(MODEL, model)
    made = {"seed": 0, "everything": True}
    model.with_suffix(".json").write_text(json.dumps({"sha256": Embedder(model).sha256, "made": made, "figures": {}}))
    out = tmp_path / "out"
    words = ["--data", str(shapes), "--model", str(model), "--out", str(out), "--phone-photos", "5", "--card"]
    assert evaluate_command.main(words) == 0
    figures = json.loads((out / "figures.json").read_text())
    assert figures["about"]["part"] == "test"
    assert figures["flattered"] == ["pooled"]
    assert json.loads(model.with_suffix(".json").read_text())["figures"]["A"] == figures["figures"]["pooled"]["A"]
    assert (out / "pooled-A-worst.png").exists()
    assert (out / "failures-pooled.csv").exists()
    said = capsys.readouterr()
    assert "D colour" in said.out
    assert "pooled was trained on all photos of its data set" in said.err


@pytest.mark.parametrize("made", [{}, {"seed": 0}, {"everything": False}])
def test_a_model_that_left_the_test_part_alone_is_not_flattered(made: dict[str, Any]):
    assert not saw_everything({"sha256": "", "made": made})
    assert not saw_everything(None)


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.images: list[dict[str, Any]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.names.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))

    def handle_data(self, data):
        self.text += data


def test_the_command_measures_any_folder_of_photos(classes: Path, tmp_path: Path):
    models = [tmp_path / name / "mine <i>.tflite" for name in ("one", "two")]
    for model in models:
        model.parent.mkdir()
        shutil.copy(MODEL, model)
    out = tmp_path / "out"
    words = ["--data", str(classes), "--part", "all", "--phone-photos", "4", "--out", str(out)]
    assert evaluate_command.main([*words, "--model", str(models[0]), "--model", str(models[1])]) == 0
    figures = json.loads((out / "figures.json").read_text())
    assert len(figures["figures"]) == 2  # of the same name, told apart by their folders

    page = Tags((out / "sheets.html").read_text())
    assert not {"b", "i", "script"} & set(page.names)
    assert "tees & <b>tops" in page.text
    shown = {unquote(image["src"]) for image in page.images}
    assert shown == {file.name for file in out.glob("*.png")}
    assert len(shown) == 2 * 3 * 3  # models, tasks, choices
    assert all("mine <i>" in image["alt"] for image in page.images)
    assert page.text.count("of 16") + page.text.count("of 1\n") >= 24

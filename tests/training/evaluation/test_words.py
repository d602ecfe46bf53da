"""The figures of what a model tells, on photos whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from embeddings.sight import NO_PART, Attribute, Sight
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.evaluation.words import measure_words, words_table
from embeddings.training.sight import Described
from scripts.evaluate import main as evaluate
from tests.sights import write_seeing_model
from tests.test_embedder import MODELS

VALUES = {"kind": ("jeans", "shirts"), "gender": ("men",), "colour": ("blue", "red"), "words": ("check", "striped")}
COUNT = sum(map(len, VALUES.values()))


def sight() -> Sight:
    attributes, start = [], 0
    for name, values in VALUES.items():
        of = np.full(COUNT, NO_PART, np.uint16)
        of[start : start + len(values)] = np.arange(len(values))
        attributes.append(Attribute(name, values, (0.6,) * len(values), of))
        start += len(values)
    return Sight(tuple(attributes), np.eye(COUNT, dtype=np.float32))


def photos() -> tuple[list[LabelledPhoto], Described]:
    """160 photos of which the model knows everything, except that it takes ten red ones for blue."""
    labelled, outputs = [], np.zeros((160, COUNT), np.float32)
    places = sight().places
    for row in range(160):
        kind, colour, look = (
            ("Jeans", "Shirts")[row % 2],
            ("Blue", "Red")[row // 2 % 2],
            ("Checked", "Striped")[row // 4 % 2],
        )
        title = f"{look} {colour} {kind}"
        labelled.append(LabelledPhoto(f"{row}.jpg", "shop", "", kind, "Men", colour, "", f"{row}", "test", title=title))
        said = "blue" if row in range(2, 42, 4) else colour.lower()
        named = (
            ("kind", kind.lower()),
            ("gender", "men"),
            ("colour", said),
            ("words", "check" if look == "Checked" else "striped"),
        )
        outputs[row, [places[each] for each in named]] = 1
    return labelled, Described(outputs * np.float32(0.5), outputs)


def test_precision_and_recall_of_each_column() -> None:
    figures = measure_words(sight(), *photos())
    assert figures["photos"] == 160
    colour = figures["seen"]["colour"]
    assert (colour["precision"], colour["recall"], colour["sure"]) == (round(150 / 160, 3), round(150 / 160, 3), 160)
    assert colour["values"]["blue"] == {"precision": round(80 / 90, 3), "recall": 1.0, "sure": 90, "labels": 80}
    assert colour["values"]["red"] == {"precision": 1.0, "recall": round(70 / 80, 3), "sure": 70, "labels": 80}
    assert figures["seen"]["kind"]["precision"] == figures["seen"]["words"]["precision"] == 1


def test_searches_in_words() -> None:
    figures = measure_words(sight(), *photos())
    text, same = figures["text"], figures["same_in"]
    assert text["queries"] == 8
    assert text["possible"] == 1
    assert text["kind"] == text["word"] == 1
    assert 0.8 < text["P@16"] == text["colour"] < 1
    assert same["queries"] == 160
    assert same["kind"] == same["plain_kind"] == 1
    assert same["colour"] > 0.8 > same["plain_colour"]
    table = words_table(figures)
    assert "seen.colour" in table
    assert "8 queries from titles" in table


def test_what_is_never_sure_has_no_precision() -> None:
    labelled, said = photos()
    figures = measure_words(sight(), labelled, Described(said.vectors, said.outputs * np.float32(0.25)))
    assert figures["seen"]["kind"]["precision"] is None
    assert figures["seen"]["words"]["values"] == {}
    assert " - " in words_table(figures)


def test_the_command_writes_the_figures_and_the_card(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = write_seeing_model(tmp_path)
    out = tmp_path / "out"
    command = ["--data", str(shapes), "--model", str(model), "--words", "--out", str(out), "--part", "all"]
    assert evaluate(command) == 0
    figures = json.loads((out / "words.json").read_text())["figures"]["seeing"]
    assert figures["seen"]["colour"]["labels"] > 50
    assert "seen.colour" in capsys.readouterr().out
    assert evaluate([*command, "--card"]) == 1
    assert "has no card" in capsys.readouterr().err


def test_a_model_that_does_not_tell_is_refused(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command = ["--data", str(shapes), "--words", "--out", str(tmp_path)]
    assert evaluate([*command, "--model", str(MODELS / "float32.tflite")]) == 1
    assert "does not tell what it sees" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        evaluate([*command, "--baselines", "imagenet"])

"""The evaluation and its commands, on drawn garments in every layout, with stand-ins for a model."""

import csv
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embeddings.embedder import Embedder
from embeddings.preprocess import photo_pixels
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import DatasetError, Split
from embeddings.training.evaluation.baselines import colour_histogram
from embeddings.training.evaluation.evaluation import Answers, Evaluation, as_record, as_table
from embeddings.training.evaluation.tasks import Search
from embeddings.training.evaluation.validation import Validation
from embeddings.training.views.colour import central_lab
from scripts import convert as convert_command
from scripts import evaluate as evaluate_command
from scripts import train as train_command
from scripts.reporting.evaluation_page import CHOICES, choose, draw_sheet
from scripts.reporting.mistakes import write_failures
from tests.training.deepfashion_fixture import write_consumer_to_shop, write_in_shop
from tests.training.shapes import COLOURS, draw_garment

SPLIT = Split(validation=0.2, test=0.4)
MODEL = Path(__file__).parent.parent / "models" / "float32.tflite"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def evaluation(shapes: Path) -> Evaluation:
    return Evaluation(shapes, SPLIT, "test", phone_photos=10)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per class, of names that are not HTML."""
    folder = tmp_path_factory.mktemp("classes")
    for number in range(40):
        kind, word = (("Tshirts", "tees & <b>tops"), ("Trousers", "trousers"))[number % 2]
        colour = tuple(np.clip(np.array(list(COLOURS.values())[number // 2 % 4]) + number, 0, 240).tolist())
        (folder / word).mkdir(exist_ok=True)
        draw_garment(kind, colour, (255, 255, 255)).save(folder / word / f"{number}.png")
    return folder


def chance(photos):
    return np.random.default_rng(len(photos)).normal(size=(len(photos), 8)).astype(np.float32)


def by_colour(photos):
    """The direction of the garment's colour from middle grey."""
    labs = np.stack([central_lab(photo_pixels(photo)) for photo in photos]) - (50, 0, 0)
    return (labs / np.linalg.norm(labs, axis=1, keepdims=True)).astype(np.float32)


def test_colours_beat_chance_where_colour_is_asked_for(evaluation: Evaluation):
    scores, _ = evaluation.measure(by_colour(evaluation.files))
    by_chance, _ = evaluation.measure(chance(evaluation.files))
    assert scores["D colour"].mean() > by_chance["D colour"].mean() + 0.2
    assert scores["D colour"].mean() > 0.8
    # No E: its categories need more shop photos than these.
    items = {f"C@{k}{which}" for k in (1, 16) for which in ("", " all", " several")}
    assert set(scores) == {"A", "D type", "D colour"} | items
    assert len(scores["C@1"].values) == evaluation.about["simulated phone photos"] == 10
    assert scores["C@16 all"].mean() <= scores["C@16"].mean()


def test_several_garments_are_in_view_where_the_main_one_is_asked_for(evaluation: Evaluation):
    (one,) = [search for search in evaluation.searches if search.name == "C"]
    (several,) = [search for search in evaluation.searches if search.name == "C several"]
    assert several.wanted.tolist() == one.wanted.tolist()
    for alone, crowded in zip(one.queries, several.queries, strict=True):
        assert evaluation.names[crowded] == f"{evaluation.names[alone]} and others"
        difference = np.abs(np.subtract(*(photo_pixels(evaluation.files[row]).astype(int) for row in (alone, crowded))))
        assert difference[50:110, 50:110].mean() < 6 < difference.mean()  # the middle is the same, to JPEG's noise
    assert len(evaluation.files) == len(evaluation.names) == several.queries[-1] + 1


def test_the_record_and_the_table_give_intervals(evaluation: Evaluation):
    scores, _ = evaluation.measure(colour_histogram(evaluation.files))
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


def test_consumer_to_shop_searches_the_shop_photos_of_val_and_test(tmp_path: Path):
    evaluation = Evaluation(write_consumer_to_shop(tmp_path), Split(), "test", phone_photos=5)
    (search,) = [search for search in evaluation.searches if search.name == "item"]
    assert len(search.queries) == 40  # two of each of the 20 test items
    asked = {evaluation.photos[row] for row in search.queries}
    assert {(photo.domain, photo.part) for photo in asked} == {("consumer", "test")}
    gallery = [evaluation.photos[row] for row in search.gallery]
    assert {(photo.domain, photo.part) for photo in gallery} == {("shop", "validation"), ("shop", "test")}
    assert len(gallery) == 30
    scores, _ = evaluation.measure(by_colour(evaluation.files))
    assert {"A", "item@1", "item@5", "item@10", "item@20", "item@50"} <= set(scores)
    assert 0.5 < scores["item@5"].mean() <= scores["item@50"].mean() == 1.0
    assert len(np.unique(scores["item@1"].units)) == 20


def test_in_shop_asks_the_queries_against_the_gallery(tmp_path: Path):
    evaluation = Evaluation(write_in_shop(tmp_path), Split(), "test", phone_photos=5)
    scores, answers = evaluation.measure(by_colour(evaluation.files))
    (item,) = [each.search for each in answers if each.search.name == "item"]
    assert {evaluation.photos[row].role for row in item.queries} == {"query"}
    assert {evaluation.photos[row].role for row in item.gallery} == {"gallery"}
    assert (len(item.queries), len(item.gallery)) == (30, 60)
    assert scores["item@1"].mean() > 0.8  # each item has a colour of its own
    assert {"C@1", "D type"} <= set(scores)
    assert "A" not in scores  # there are no consumer photos


def test_a_folder_per_class_is_measured_whole(classes: Path):
    evaluation = Evaluation(classes, Split(), "all", phone_photos=6)
    scores, _ = evaluation.measure(colour_histogram(evaluation.files))
    # No "C all": nothing is left for a larger gallery.
    assert set(scores) == {"C@1", "C@16", "C@1 several", "C@16 several", "D type"}
    assert len(scores["D type"].values) == 40
    assert evaluation.about["categories"] == 2


def small(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Every sixteenth pixel (n, 300)."""
    return (pixels[:, ::16, ::16].reshape(len(pixels), -1) / 1e4).astype(np.float32)


def test_an_unlabelled_gallery_is_asked_for_its_items(classes: Path, tmp_path: Path):
    for file in classes.rglob("*.png"):
        shutil.copy(file, tmp_path)
    validation = Validation(tmp_path, read_photos(tmp_path, SPLIT), "validation", seed=0)
    figures = validation.figures(small)
    assert set(figures) == {"C@1", "C@16"}


def test_a_run_is_steered_by_what_can_be_asked(tmp_path: Path):
    write_in_shop(tmp_path)
    photos = read_photos(tmp_path, SPLIT)
    figures = Validation(tmp_path, photos, "validation", seed=0).figures(small)
    assert {"C@1", "D type", "item@1"} <= set(figures)
    with pytest.raises(DatasetError, match="validation part has no shop photos"):
        Validation(tmp_path, [photo for photo in photos if photo.part == "test"], "validation", seed=0)


@pytest.mark.parametrize("choice", CHOICES)
def test_sheets_frame_right_results(evaluation: Evaluation, tmp_path: Path, choice):
    _, (answers, *_) = evaluation.measure(colour_histogram(evaluation.files))
    chosen = choose(answers, choice, rows=3)
    hits = answers.search.right(answers.found[:, :16]).sum(axis=1)
    if choice != "random":
        assert hits[chosen].tolist() == sorted(hits, reverse=choice == "best")[:3]
    draw_sheet(answers, chosen, evaluation.files, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    frames = {True: (40, 170, 60), False: (200, 50, 40)}
    for row in range(3):
        for column in range(16):
            corner = sheet[row * 118 + 14, 104 * (column + 1) + 12]
            assert tuple(corner) == frames[bool(answers.search.right(answers.found)[chosen[row], column])]


def test_failures_name_the_query_and_what_came_instead(evaluation: Evaluation, tmp_path: Path):
    _, answers = evaluation.measure(colour_histogram(evaluation.files))
    write_failures(tmp_path / "failures.csv", answers, evaluation.names)
    with (tmp_path / "failures.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kinds = {photo.file: photo.category for photo in evaluation.photos}
    of_a = [row for row in rows if row["task"] == "A"]
    assert of_a
    for row in of_a:
        assert kinds[row["query"]] == row["wanted"]
        wrong = row["first wrong results"].split(" | ")
        assert len(wrong) <= 3
        assert all(kinds[file] != row["wanted"] for file in wrong)
        assert int(row["hits"]) < int(row["of"]) or row["rank of the first hit"] != "1"
    assert [int(row["hits"]) / int(row["of"]) for row in of_a] == sorted(
        int(row["hits"]) / int(row["of"]) for row in of_a
    )
    asked = len(answers[0].search.queries)
    complete = answers[0].search.right(answers[0].found[:, :16]).all(axis=1).sum()
    assert len(of_a) == asked - complete
    assert any(row["query"].startswith("phone photo of shop/") for row in rows if row["task"] == "C")


def test_a_failure_is_what_misses_something_or_begins_wrong(tmp_path: Path):
    labels, wanted = np.array(["a", "a", "b"]), np.array(["a", "a", "b", "b", "c"])
    search = Search("T", np.arange(3, 8), np.arange(3), wanted, labels, wanted)
    found = np.array([[0, 1, 2], [0, 2, 1], [2, 0, 1], [0, 2, 1], [0, 1, 2]])
    write_failures(tmp_path / "failures.csv", [Answers(search, found)], ["0", "1", "2", *"pqrst"])
    lines = (tmp_path / "failures.csv").read_text().splitlines()
    assert lines[1:] == ["T,s,b,1,1,2,0 | 1"]  # p, q and r find all and begin right; nothing is relevant to t


def test_photos_that_are_for_training_only_are_neither_asked_for_nor_found(shapes: Path, tmp_path: Path):
    shutil.copytree(shapes, tmp_path / "photos")
    table = tmp_path / "photos" / "labels.csv"
    before = [Evaluation(tmp_path / "photos", SPLIT, part, phone_photos=5) for part in ("test", "all")]
    header, *rows = table.read_text().splitlines()
    small = [row.replace("shop/", "small/") + ",yes" for row in rows if row.startswith("shop/")]
    rows = [f"{row}," for row in rows] + small + ["consumer/new.png,consumer,,,,unknown,"]
    table.write_text("\n".join([f"{header},small", *rows]) + "\n")  # none of the new photos can be opened
    after = [Evaluation(tmp_path / "photos", SPLIT, part, phone_photos=5) for part in ("test", "all")]
    assert [each.names for each in after] == [each.names for each in before]
    assert [each.about for each in after] == [each.about for each in before]


def test_a_part_too_small_to_search_in_and_a_missing_photo_are_refused(shapes: Path, tmp_path: Path):
    with pytest.raises(DatasetError, match="validation part has"):
        Evaluation(shapes, Split(validation=0.01), "validation", 5)
    shutil.copytree(shapes, tmp_path / "photos")
    (tmp_path / "photos" / "consumer" / "130.png").unlink()
    with pytest.raises(DatasetError, match=r"130\.png"):
        Evaluation(tmp_path / "photos", Split(), "all", 5)


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
    assert (out / "failures-pooled.csv").exists()
    assert "D colour" in capsys.readouterr().out


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


def test_one_command_measures_anyones_own_folder(classes: Path, tmp_path: Path):
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

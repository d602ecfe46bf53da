"""The evaluation on drawn garments in every layout, with stand-ins for a model."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from embeddings.preprocess import photo_pixels
from embeddings.training.data.photos import DatasetError, Split
from embeddings.training.evaluation.baselines import colour_histogram
from embeddings.training.evaluation.evaluation import Evaluation, as_record, as_table
from embeddings.training.views.colour import central_lab
from tests.training.deepfashion_fixture import write_consumer_to_shop, write_in_shop
from tests.training.shapes import SPLIT

pytestmark = pytest.mark.slow  # needs TensorFlow


def chance(photos):
    return np.random.default_rng(len(photos)).normal(size=(len(photos), 8)).astype(np.float32)


def by_colour(photos):
    """The direction of the garment's colour from middle grey."""
    labs = np.stack([central_lab(photo_pixels(photo)) for photo in photos]) - (50, 0, 0)
    return (labs / np.linalg.norm(labs, axis=1, keepdims=True)).astype(np.float32)


def test_colours_beat_chance_at_colour(evaluation: Evaluation):
    scores, _ = evaluation.measure(by_colour(evaluation.files))
    by_chance, _ = evaluation.measure(chance(evaluation.files))
    assert scores["D colour"].mean() > by_chance["D colour"].mean() + 0.2
    assert scores["D colour"].mean() > 0.8
    # No E: its categories need more shop photos than these.
    items = {f"C@{k}{which}" for k in (1, 16) for which in ("", " all", " several")}
    assert set(scores) == {"A", "D type", "D colour"} | items
    assert len(scores["C@1"].values) == evaluation.about["simulated phone photos"] == 10
    assert scores["C@16 all"].mean() <= scores["C@16"].mean()


def test_task_c_several_shows_the_same_items_among_other_garments(evaluation: Evaluation):
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


def test_in_shop_searches_its_gallery_with_its_queries(tmp_path: Path):
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


def test_training_only_photos_are_neither_queries_nor_results(shapes: Path, tmp_path: Path):
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

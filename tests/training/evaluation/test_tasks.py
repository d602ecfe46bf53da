"""The tasks: who asks, who may answer, and which answers are right."""

import numpy as np
import pytest

from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.evaluation.metrics import Scores
from embeddings.training.evaluation.tasks import Search, searches
from tests.training.evaluation.by_hand import directions, words


def photo(category: str, domain="shop", sender="", file="f", item="", role="", type="", colour="") -> LabelledPhoto:
    return LabelledPhoto(file, domain, category, type, "", colour, sender, item or file, "test", role)


def found_by(pool: list[LabelledPhoto], items: list[int], vectors: np.ndarray, own: int = 0) -> dict[str, Scores]:
    scores: dict[str, Scores] = {}
    for search in searches(pool, own or len(pool), np.array(items, np.intp)):
        scores |= search.scores(search.ask(vectors))
    return scores


def test_a_averages_over_the_categories_that_both_domains_have():
    pool = [photo(kind, file=kind) for kind in ("shirt", "dress", "sunglasses")]
    pool += [photo("shirt", "consumer", "1"), photo("shirt", "consumer", "1"), photo("dress", "consumer", "2")]
    pool += [photo("baby body", "consumer", "3"), photo("", "consumer", "4")]
    scores = found_by(pool, [], directions(0, 90, 45, 0, 0, 90, 0, 0))["A"]
    # three results each: one of one shirt, one of one dress are among them
    assert scores.mean() == 1.0
    assert scores.by_group() == {"dress": 1.0, "shirt": 1.0}
    assert scores.units.tolist() == ["1", "1", "2"]


def test_c_is_recall_of_the_item_in_the_small_and_the_large_gallery():
    pool = [photo("shirt", file=str(degrees)) for degrees in (0, 30, 60, 90)]
    scores = found_by(pool, [0, 2], directions(0, 30, 60, 90, 2, 40), own=3)
    assert scores["C@1"].values.tolist() == [1.0, 0.0]
    assert scores["C@16"].values.tolist() == [1.0, 1.0]
    nearer = found_by(pool, [0, 2], directions(0, 30, 60, 1.5, 2, 40), own=3)
    assert nearer["C@1"].values.tolist() == [1.0, 0.0]  # the fourth is of another part
    assert nearer["C@1 all"].values.tolist() == [0.0, 0.0]


def test_d_skips_shop_photos_without_the_label():
    pool = [photo("", file=str(number), type=word) for number, word in enumerate(("tee", "tee", "boot", "boot", ""))]
    scores = found_by(pool, [], directions(0, 1, 90, 91, 45))
    assert set(scores) == {"D type"}
    assert scores["D type"].values.tolist() == [1.0] * 4  # all relevant are among the first sixteen


def test_a_protocol_names_queries_and_gallery():
    pool = [
        photo("", "consumer", item="x", role="query"),
        photo("", item="x", role="gallery"),
        photo("", item="y", role="gallery"),
        photo("", item="z"),  # takes no part
        photo("", item="w", role="gallery"),  # of another part, and in the gallery all the same
    ]
    scores = found_by(pool, [], directions(0, 20, 40, 0, 10), own=4)
    assert {name: each.mean() for name, each in scores.items()} == {
        "item@1": 0.0,
        "item@5": 1.0,
        "item@10": 1.0,
        "item@20": 1.0,
        "item@50": 1.0,
    }


def test_without_a_protocol_photos_of_an_item_search_for_each_other():
    pool = [photo("", file=str(number), item=item) for number, item in enumerate("xxyyz")]
    scores = found_by(pool, [], directions(0, 1, 50, 90, 89))
    assert scores["item@1"].values.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert scores["item@5"].mean() == 1.0


def test_photos_without_labels_leave_only_task_c():
    pool = [photo("", file=str(number)) for number in range(20)]
    assert searches(pool, len(pool), np.array([], np.intp)) == []
    assert [search.name for search in searches(pool, len(pool), np.arange(3))] == ["C"]


def test_e_is_measured_with_a_if_colours_are_known():
    pool = [photo("shirt", file=str(number)) for number in range(48)] + [photo("shirt", "consumer", "1")]
    labs = np.zeros((49, 3))
    labs[:48, 0] = np.arange(48)
    (search,) = [each for each in searches(pool, 49, np.array([], np.intp), labs) if each.name == "A"]
    scores = search.scores(search.ask(directions(*np.linspace(0, 90, 48), 0)))
    assert scores["E"].mean() == pytest.approx(1)
    assert scores["A"].mean() == 1


def test_right_results_are_told_and_counted():
    search = Search("D", np.arange(3), np.arange(3), words("a a -"), words("a a -"), words("1 2 3"), without_self=True)
    found = search.ask(directions(0, 10, 60))
    assert found.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert search.right(found)[:2].tolist() == [[True, False], [True, False]]
    assert search.relevant().tolist() == [1, 1, 0]

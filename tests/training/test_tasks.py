"""The tasks on vectors that are small enough to work out by hand."""

import numpy as np
import pytest

from embeddings.training.datasets import Photo
from embeddings.training.tasks import Scores, neighbours, overlap, precision, task_a, task_c, task_d, task_e


def photo(category: str, domain="shop", sender="", file="f") -> Photo:
    return Photo(file, domain, category, category, "", "", sender, "test")


def directions(*degrees: float) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_neighbours_are_by_falling_cosine_and_may_leave_out_the_query():
    gallery = directions(0, 90, 10, 180)
    assert neighbours(directions(1), gallery, 3).tolist() == [[0, 2, 1]]
    assert neighbours(gallery, gallery, 2, without_self=True)[0].tolist() == [2, 1]


def test_overlap_is_the_share_in_common():
    assert overlap(np.array([[1, 2, 3, 4]]), np.array([[4, 3, 8, 9]])) == 0.5


def test_precision_divides_by_what_could_be_found():
    found = np.array([[0, 1], [0, 1], [0, 1]])
    values = precision(["a", "b", "c"], found, ["a", "b", "b", "b"])
    assert values[:2].tolist() == [1.0, 0.5]  # one "a" of one; one "b" of two places
    assert np.isnan(values[2])


def test_precision_within_a_gallery_does_not_count_the_query_itself():
    assert precision(["a", "a"], np.array([[1], [0]]), ["a", "a"], without_self=True).tolist() == [1.0, 1.0]
    assert np.isnan(precision(["a"], np.array([[0]]), ["a"], without_self=True)[0])


def test_a_is_a_mean_over_categories_that_both_domains_have():
    shop = [photo("shirt"), photo("dress"), photo("sunglasses")]
    consumer = [photo("shirt", "consumer", "1"), photo("shirt", "consumer", "1"), photo("dress", "consumer", "2")]
    consumer.append(photo("baby body", "consumer", "3"))
    scores = task_a(consumer, directions(0, 0, 90, 0), shop, directions(0, 90, 45))
    # three results each: one of one shirt, one of one dress are among them
    assert scores.mean() == 1.0
    assert scores.by_group() == {"dress": 1.0, "shirt": 1.0}
    assert scores.units.tolist() == ["1", "1", "2"]


def test_c_is_recall_of_the_very_item():
    gallery = directions(0, 30, 60, 90)
    items = [photo("shirt", file="x"), photo("shirt", file="y")]
    queries, rows = directions(2, 40), np.array([0, 2])
    assert task_c(items, queries, rows, gallery, 1).values.tolist() == [1.0, 0.0]
    assert task_c(items, queries, rows, gallery, 2).values.tolist() == [1.0, 1.0]


def test_d_asks_within_the_shop():
    shop = [photo("shirt", file=str(number)) for number in range(4)]
    scores = task_d(shop, directions(0, 1, 90, 91), ["red", "red", "blue", "blue"])
    assert scores.values.tolist() == [1.0] * 4  # all relevant are among the first sixteen


def test_e_is_one_for_the_best_colours_and_zero_for_chance():
    count = 64
    shop = [photo("shirt")] * count
    labs = np.stack([np.arange(count), np.zeros(count), np.zeros(count)], axis=1).astype(float)
    query, lab = [photo("shirt", "consumer", "1")], np.zeros((1, 3))
    by_colour, against = directions(*np.linspace(0, 90, count)), directions(*np.linspace(90, 0, count))
    assert task_e(query, directions(0), lab, shop, by_colour, labs).mean() == pytest.approx(1)
    assert task_e(query, directions(0), lab, shop, against, labs).mean() < -0.5


def test_the_interval_holds_the_mean_and_is_wider_when_queries_share_their_luck():
    rng = np.random.default_rng(0)
    luck = rng.random(20)
    values = np.repeat(luck, 10)
    groups = np.array(["all"] * 200)
    alone = Scores(values, groups, np.arange(200).astype(str))
    shared = Scores(values, groups, np.repeat(np.arange(20), 10).astype(str))
    low, high = shared.interval()
    assert low < shared.mean() < high
    assert high - low > 2 * (alone.interval()[1] - alone.interval()[0])
    assert shared.interval() == (low, high)

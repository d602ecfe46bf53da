"""Precision, recall, nearness of colour and their intervals, on answers small enough to work out by hand."""

import numpy as np
import pytest

from embeddings.training.evaluation.metrics import Scores, nearness, neighbours, overlap, precision, recall
from tests.training.evaluation.by_hand import directions, words


def test_neighbours_are_sorted_by_falling_cosine_and_can_leave_out_the_query():
    gallery = directions(0, 90, 10, 180)
    assert neighbours(directions(1), gallery, 3).tolist() == [[0, 2, 1]]
    assert neighbours(gallery, gallery, 2, without_self=True)[0].tolist() == [2, 1]


@pytest.mark.parametrize("without_self", [False, True])
def test_blocks_of_queries_find_the_same_neighbours(monkeypatch: pytest.MonkeyPatch, without_self: bool):
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    whole = neighbours(vectors, vectors, 7, without_self)
    monkeypatch.setattr("embeddings.training.evaluation.metrics._AT_ONCE", 8)
    assert np.array_equal(neighbours(vectors, vectors, 7, without_self), whole)
    assert (whole == np.arange(50)[:, None]).any() != without_self


def test_overlap_is_the_share_in_common():
    assert overlap(np.array([[1, 2, 3, 4]]), np.array([[4, 3, 8, 9]])) == 0.5


def test_precision_divides_by_what_could_be_found():
    values = precision(words("a b c -"), np.array([[0, 1]] * 4), words("a b b b -"))
    assert values[:2].tolist() == [1.0, 0.5]  # one "a" of one; one "b" of two places
    assert np.isnan(values[2:]).all()  # there is no "c", and who has no label wants nothing


def test_precision_within_a_gallery_does_not_count_the_query_itself():
    assert precision(words("a a"), np.array([[1], [0]]), words("a a"), without_self=True).tolist() == [1.0, 1.0]
    assert np.isnan(precision(words("a"), np.array([[0]]), words("a"), without_self=True)[0])


def test_recall_is_one_if_the_first_k_hold_a_hit():
    found, gallery = np.array([[2, 1, 0]] * 3), words("a b b")
    assert recall(words("a b"), found[:2], gallery, 1).tolist() == [0.0, 1.0]
    assert recall(words("a b"), found[:2], gallery, 3).tolist() == [1.0, 1.0]
    assert np.isnan(recall(words("c -"), found[:2], gallery, 3)).all()


def test_e_is_one_for_the_best_colours_and_zero_for_chance():
    count = 64
    labs = np.stack([np.arange(count), np.zeros(count), np.zeros(count)], axis=1).astype(float)
    gallery, query = np.array(["shirt"] * count), np.array(["shirt"])
    best, worst = np.arange(16)[None], np.arange(count)[None, -16:]
    assert nearness(query, np.zeros((1, 3)), best, gallery, labs)[0] == pytest.approx(1)
    assert nearness(query, np.zeros((1, 3)), worst, gallery, labs)[0] == pytest.approx(-1)
    assert nearness(query, np.zeros((1, 3)), np.r_[:8, 56:64][None], gallery, labs)[0] == pytest.approx(0)
    assert np.isnan(nearness(query, np.zeros((1, 3)), best, gallery[:47], labs[:47])[0])


def test_the_interval_holds_the_mean_and_is_wider_if_queries_share_units():
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

"""The scan estimates scores within the errors that it states, and searches by it are those of the definition."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from embeddings.gallery import Gallery
from embeddings.ranking import Scores, matching
from embeddings.scan import Scan
from embeddings.unit_rows import scores_of, unit_rows


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


def clustered(rows: int, dimension: int, seed: int) -> np.ndarray:
    """Make float16 vectors around few centres, several of them alike."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(5, dimension))[random.integers(0, 5, rows)]
    vectors += random.choice([0.05, 0.3, 1]) * random.normal(size=vectors.shape)
    return unit(vectors)[random.integers(0, rows, rows)].astype(np.float16)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_estimate_is_off_by_more_than_it_says(data: st.DataObject) -> None:
    """Also with zeros, subnormal numbers, and one number that dwarfs the others."""
    shape = data.draw(array_shapes(min_dims=2, max_dims=2, max_side=40))
    numbers = st.floats(-1, 1, width=16)
    vectors = data.draw(arrays(np.float16, shape, elements=numbers))
    query = unit(data.draw(arrays(np.float64, shape[1], elements=st.floats(-1, 1)))).astype(np.float32)
    estimates, errors = Scan(vectors).estimate(slice(0, shape[0]), query)
    exact = unit(vectors.astype(np.float64)) @ query.astype(np.float64)
    assert np.all(np.abs(estimates - exact) <= errors)
    assert np.all(np.abs(estimates - scores_of(vectors, np.arange(shape[0]), query)) <= errors)


@pytest.mark.parametrize("dimension", [1, 8, 192, 256, 1280])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_estimates_are_close(dimension: int, dtype: type) -> None:
    random = np.random.default_rng(dimension)
    vectors: np.ndarray = unit(random.normal(size=(2500, dimension))).astype(dtype)
    query = unit(random.normal(size=dimension)).astype(np.float32)
    estimates, errors = Scan(vectors).estimate(slice(100, 2500), query)
    off = np.abs(estimates - unit_rows(vectors[100:]) @ query)
    assert np.all(off <= errors)
    assert errors.max() < 0.03


def test_rows_may_be_picked() -> None:
    vectors = clustered(300, 16, 0)
    scan, query = Scan(vectors), unit(np.arange(16)).astype(np.float32)
    picked = np.array([299, 0, 7])
    for some, every in zip(scan.estimate(picked, query), scan.estimate(slice(0, 300), query), strict=True):
        np.testing.assert_array_equal(some, every[picked])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_search_answers_as_if_every_score_were_exact(data: st.DataObject) -> None:
    """The answer has the same rows and the same digits."""
    seed, rows = data.draw(st.integers(0, 99)), data.draw(st.sampled_from([50, 400, 1500]))
    dimension = data.draw(st.sampled_from([3, 32, 192]))
    vectors = clustered(rows, dimension, seed)
    keys = sorted(f"{'ab'[number % 2]}/{number:05}" for number in range(rows))
    query = unit(np.random.default_rng(seed + 1).normal(size=dimension)).astype(np.float32)
    if data.draw(st.booleans()):
        query = unit_rows(vectors[:1])[0]
    options: dict[str, Any] = {
        "k": data.draw(st.sampled_from([1, 16, 100, 2000])),
        "offset": data.draw(st.sampled_from([0, 7, 300])),
        "prefix": data.draw(st.sampled_from(["", "a", "none"])),
        "min_score": data.draw(st.sampled_from([None, -0.2, 0.5, 0.999])),
        "exclude": data.draw(st.lists(st.sampled_from(keys), max_size=3)),
    }
    scores = np.round(np.vecdot(unit_rows(vectors), query).astype(np.float64), 6)
    expected = [
        (keys[row], scores[row])
        for row in np.lexsort((np.arange(rows), -scores)).tolist()
        if keys[row].startswith(options["prefix"])
        and keys[row] not in options["exclude"]
        and (options["min_score"] is None or scores[row] >= options["min_score"])
    ]
    found = Gallery(vectors, keys).search(query, **options)
    assert found == expected[options["offset"] :][: options["k"]]


@pytest.mark.parametrize("min_score", [-1.0, 0.1, 0.85, 1.0])
def test_just_the_rows_that_reach_the_least_score_match(min_score: float) -> None:
    vectors = clustered(2000, 64, 3)
    query = unit_rows(vectors[:1])[0]
    estimates, errors = Scan(vectors).estimate(slice(500, 2000), query)
    scores = Scores(range(500, 2000), estimates, errors, lambda rows: scores_of(vectors, rows, query))
    exact = np.round(scores_of(vectors, np.arange(500, 2000), query).astype(np.float64), 6)
    np.testing.assert_array_equal(matching(scores, min_score), np.flatnonzero(exact >= min_score))


def test_few_rows_are_read_in_full() -> None:
    random = np.random.default_rng(0)
    vectors = unit(random.normal(size=(20_000, 192))).astype(np.float16)
    query = unit(random.normal(size=192)).astype(np.float32)
    read: list[int] = []

    def exact(rows: np.ndarray) -> np.ndarray:
        read.append(len(rows))
        return scores_of(vectors, rows, query)

    scores = Scores(range(20_000), *Scan(vectors).estimate(slice(0, 20_000), query), exact)
    assert len(scores.candidates(16, -1)) < 100
    assert read == [16]


def test_a_gallery_adds_one_byte_a_number() -> None:
    """Of a million images, float32 rows would be a gigabyte."""
    vectors = clustered(5000, 256, 0)
    keys = [f"{number:05}" for number in range(5000)]
    tracemalloc.start()
    gallery = Gallery(vectors, keys)
    added, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(gallery) == 5000
    assert added < 1.1 * vectors.size

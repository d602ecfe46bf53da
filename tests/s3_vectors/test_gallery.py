"""Searches in the engine, compared with exact ones in memory."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import (
    CorruptIndexError,
    EmptyGalleryError,
    SearchDepthError,
    StorageError,
    UnavailableError,
    UnknownKeyError,
)
from embeddings.folder_counts import top_folders
from embeddings.gallery import Gallery
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.gallery import S3VectorsGallery
from embeddings.s3_vectors.metadata import DRAWS
from embeddings.s3_vectors.writer import S3VectorsWriter
from tests.servers import s3vectors
from tests.servers.s3vectors import Index, S3VectorsServer

COUNT, DIMENSION = 1_500, 8


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float16]:
    """Clustered like photos' vectors. Every tenth equals the one before."""
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((12, DIMENSION))[rng.integers(12, size=COUNT)] * 2).astype(np.float16)
    rows += rng.standard_normal(rows.shape).astype(np.float16)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[1::10] = rows[::10]
    return rows


@pytest.fixture(scope="module")
def exact(rows: NDArray[np.float16]) -> Gallery:
    folders = ("a", "a/b", "c", "few", "")
    keys = [f"{folders[number % 5 if number % 100 else 3]}/{number:04}.jpg".lstrip("/") for number in range(COUNT)]
    return Gallery(rows[np.argsort(keys)], sorted(keys))


@pytest.fixture(scope="module")
def filled() -> list[Index]:
    """The vectors that the first test has put, as putting takes longer than most tests."""
    return []


@pytest.fixture
def gallery(
    exact: Gallery, index: VectorIndexName, vectors_server: S3VectorsServer, filled: list[Index]
) -> S3VectorsGallery:
    indexes = vectors_server.buckets[index.bucket]
    if not filled:
        writer = S3VectorsWriter(index)
        writer.create(DIMENSION)
        writer.put({key: ('"1"', exact.vector(key).astype(np.float32)) for key in exact.keys})
        filled.append(indexes[index.name])
        vectors_server.requests.clear()
    indexes[index.name] = replace(filled[0], vectors=dict(filled[0].vectors))
    return S3VectorsGallery(index, DIMENSION, COUNT, top_folders(exact.keys))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 100},
        {"k": 100, "offset": 900},
        {"k": 7, "offset": 93},
        {"k": 50, "prefix": "a"},
        {"k": 50, "prefix": "a/b/"},
        {"k": 50, "prefix": "a/"},
        {"prefix": "fe"},
        {"prefix": "few/0003.jpg"},
        {"prefix": "nowhere"},
        {"prefix": "a//b"},
        {"prefix": "../a"},
        {"k": 100, "min_score": 0.7},
        {"min_score": 1.0},
        {"dedupe": 0.98},
        {"k": 40, "dedupe": 0.9},
        {"k": 100, "dedupe": 0.99, "offset": 20},
        {"k": 20, "dedupe": 0.8, "min_score": 0.2, "prefix": "c", "offset": 3},
        {"dedupe": 1.0, "prefix": "few"},
    ],
    ids=str,
)
def test_it_gives_the_answers_of_the_exact_gallery(
    options: dict[str, object], gallery: S3VectorsGallery, exact: Gallery
) -> None:
    for key in exact.keys[:: COUNT // 4]:
        query = exact.vector(key)
        for exclude in ((), (key, "no such.jpg")):
            wanted = exact.search(query, exclude=exclude, **options)  # type: ignore[arg-type]
            found = gallery.search(query, exclude=exclude, **options)  # type: ignore[arg-type]
            assert [each.key for each in found] == [each.key for each in wanted]
            assert [each.score for each in found] == pytest.approx([each.score for each in wanted], abs=1.5e-6)


def test_more_than_a_hundred_results_come_in_pages(
    gallery: S3VectorsGallery, exact: Gallery, vectors_server: S3VectorsServer
) -> None:
    gallery.search(exact.vector(exact.keys[0]), k=84)
    [alone] = vectors_server.asked("QueryVectors")
    assert alone["topK"] == 100
    vectors_server.requests.clear()
    gallery.search(exact.vector(exact.keys[0]), k=100, offset=900)
    pages = vectors_server.asked("QueryVectors")
    assert {each["topK"] for each in pages} == {1016}
    assert len(pages) == 11


def test_an_engine_or_client_without_pages_is_told_from_one_that_fails(
    gallery: S3VectorsGallery, exact: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = exact.vector(exact.keys[0])
    with monkeypatch.context() as patch:
        patch.setattr(s3vectors, "MOST_RESULTS", 100)
        assert len(gallery.search(query, k=100)) == 100
        with pytest.raises(SearchDepthError, match="refuses to return 117 results"):
            gallery.search(query, k=101)
    monkeypatch.setattr(gallery._queries.client, "can_paginate", lambda operation: False)
    assert len(gallery.search(query, k=100)) == 100
    assert gallery.random_key()
    with pytest.raises(SearchDepthError, match="cannot page"):
        gallery.search(query, k=50, offset=51)


def test_it_returns_the_vector_of_a_key(gallery: S3VectorsGallery, exact: Gallery) -> None:
    key = exact.keys[17]
    np.testing.assert_allclose(gallery.vector(key), exact.vector(key), atol=1e-7)
    for unknown in ("no such.jpg", "", "a" * 2000, "a/../b.jpg"):
        with pytest.raises(UnknownKeyError):
            gallery.vector(unknown)


def test_random_images_are_about_equally_likely(gallery: S3VectorsGallery, exact: Gallery) -> None:
    drawn = Counter(gallery.random_key() for _ in range(100))
    assert len(drawn) > 85  # 100 draws from 1,500: 97 different ones are expected
    halves = Counter(key < exact.keys[COUNT // 2] for key in drawn.elements())
    assert 25 < halves[True] < 75
    assert max(drawn.values()) <= 5


def test_the_stretches_to_draw_from_cover_everything_once(
    gallery: S3VectorsGallery, vectors_server: S3VectorsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [number * DRAWS // 60 for number in range(60)]  # four in each stretch
    monkeypatch.setattr("secrets.randbelow", lambda most: places.pop() if most == DRAWS else pytest.fail(str(most)))
    gallery._count = 750
    while places:
        gallery.random_key()
    asked = {
        (low["draw"]["$gte"], high["draw"]["$lt"]) for low, high in map(_ranges, vectors_server.asked("QueryVectors"))
    }
    assert len(asked) == 750 // 50
    assert all(end == first for (_, end), (first, _) in pairwise(sorted(asked)))
    assert (min(asked)[0], max(asked)[1]) == (0, 2**32)


def _ranges(asked: dict[str, Any]) -> list[dict[str, dict[str, int]]]:
    conditions: list[dict[str, dict[str, int]]] = asked["filter"]["$and"]
    return conditions


def test_a_random_image_of_a_small_folder_takes_a_few_wider_queries(
    gallery: S3VectorsGallery, exact: Gallery, vectors_server: S3VectorsServer
) -> None:
    few = {key for key in exact.keys if key.startswith("few/")}
    assert {gallery.random_key("few/") for _ in range(20)} <= few
    for nothing in ("fe", "nowhere", "a//b"):
        with pytest.raises(EmptyGalleryError):
            gallery.random_key(nothing)
    vectors_server.requests.clear()
    gallery._count = 2_000_000_000  # the most that one index takes
    assert gallery.random_key("few") in few
    assert len(vectors_server.requests) <= 7


def test_a_missing_vector_index_is_damage(
    gallery: S3VectorsGallery, exact: Gallery, vectors_server: S3VectorsServer
) -> None:
    del vectors_server.buckets["shop"]["garments"]
    with pytest.raises(CorruptIndexError, match="s3vectors://shop/garments is missing"):
        gallery.search(exact.vector(exact.keys[0]))
    with pytest.raises(CorruptIndexError):
        gallery.vector(exact.keys[0])
    with pytest.raises(CorruptIndexError):
        gallery.random_key()


def test_an_engine_that_fails_is_given_up_after_two_tries(
    gallery: S3VectorsGallery, exact: Gallery, vectors_server: S3VectorsServer
) -> None:
    query = exact.vector(exact.keys[0])
    vectors_server.fail_next("TooManyRequestsException")
    assert len(gallery.search(query)) == 16
    vectors_server.requests.clear()
    vectors_server.fail_next("ServiceUnavailableException", times=2)
    with pytest.raises(UnavailableError):
        gallery.search(query)
    assert len(vectors_server.requests) == 2
    vectors_server.fail_next("AccessDeniedException")
    with pytest.raises(StorageError, match="access denied"):
        gallery.vector(exact.keys[0])

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import EmptyGalleryError, UnknownKeyError
from embeddings.gallery import Gallery
from embeddings.neighbours import Neighbour
from embeddings.unit_rows import unit_rows

FOLDERS = ("bags", "shirts", "shirts-old", "shirts0", "shoes")
"""Keys in "shirts-old" sort just before those in "shirts", and keys in "shirts0" just after: "-" < "/" < "0"."""


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def made(count: int, dimension: int = 8, seed: int = 0, copies: int = 1) -> tuple[Gallery, np.ndarray, list[str]]:
    """Make a gallery in which each float16 vector occurs `copies` times; return it, its vectors and its keys."""
    random = np.random.default_rng(seed)
    vectors = unit(random.normal(size=(count, dimension))).astype(np.float16)
    vectors = np.repeat(vectors, copies, axis=0)[random.permutation(count * copies)]
    keys = sorted(f"{random.choice(FOLDERS)}/{number:05d}.jpg" for number in range(len(vectors)))
    return Gallery(vectors, keys), unit(vectors.astype(np.float64)), keys


def plainly(vectors, keys, query, k=16, offset=0, prefix="", min_score=None, dedupe=None, exclude=()):
    """Search by the definition: one condition after the other, then the cut."""
    scored = [(round(float(vector @ query), 6), key, vector) for vector, key in zip(vectors, keys, strict=True)]
    scored.sort(key=lambda each: (-each[0], each[1]))
    kept: list[tuple[float, str, np.ndarray]] = []
    for score, key, vector in scored:
        if prefix and not key.startswith(prefix.rstrip("/") + "/"):
            continue
        if key in exclude or (min_score is not None and score < min_score):
            continue
        if dedupe is not None and any(float(vector @ other) >= dedupe for _, _, other in kept):
            continue
        kept.append((score, key, vector))
    return [(key, score) for score, key, _ in kept[offset : offset + k]]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_search_agrees_with_the_definition(data: st.DataObject) -> None:
    gallery, vectors, keys = made(data.draw(st.integers(1, 60)), seed=data.draw(st.integers(0, 9)))
    query = unit(np.random.default_rng(data.draw(st.integers(0, 9))).normal(size=8))
    conditions: dict[str, Any] = {
        "k": data.draw(st.integers(1, 70)),
        "offset": data.draw(st.integers(0, 20)),
        "prefix": data.draw(st.sampled_from(["", "shirts", "shirts/", "bags", "none"])),
        "min_score": data.draw(st.sampled_from([None, -1.0, 0.1, 0.5])),
        "dedupe": data.draw(st.sampled_from([None, 0.3, 0.8])),
        "exclude": data.draw(st.lists(st.sampled_from([*keys, "", "shirts/", "zzz"]), max_size=3)),
    }
    found = gallery.search(query.astype(np.float32), **conditions)
    expected = plainly(vectors, keys, query, **conditions)
    assert [key for key, _ in found] == [key for key, _ in expected]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=2e-6)


def test_ties_are_in_key_order_at_the_cut_too() -> None:
    vectors = np.tile(np.eye(4, dtype=np.float32)[0], (50, 1))
    keys = [f"{number:02d}" for number in range(50)]
    found = Gallery(vectors, keys).search(vectors[0], k=7, offset=3)
    assert [neighbour.key for neighbour in found] == keys[3:10]


def test_scores_that_round_alike_are_in_key_order_at_the_cut_too() -> None:
    """The last key has the highest cosine, but by less than a score shows, so it does not come in."""
    cosines = np.array([0.1, 0.5, 0.5, 0.5 + 1e-7, 0.5 + 2e-7], dtype=np.float32)
    vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    found = Gallery(vectors, list("abcde")).search(np.array([1, 0], dtype=np.float32), k=2)
    assert found == [("b", 0.5), ("c", 0.5)]


def test_search_finds_sixteen_by_default() -> None:
    gallery, vectors, _ = made(40)
    assert len(gallery.search(vectors[0].astype(np.float32))) == 16


@pytest.mark.parametrize("dedupe", [None, 1.0])
def test_excluded_images_do_not_even_come_last(dedupe: float | None) -> None:
    gallery, vectors, keys = made(12)
    found = gallery.search(vectors[0].astype(np.float32), k=100, exclude=keys[:3], dedupe=dedupe)
    assert sorted(key for key, _ in found) == keys[3:]


def test_excluding_an_unknown_key_changes_nothing() -> None:
    gallery, vectors, keys = made(12)
    query = vectors[0].astype(np.float32)
    unknown = ["", "bags", *(key + "x" for key in keys), "zzz"]
    assert gallery.search(query, exclude=unknown) == gallery.search(query)


def test_a_folder_does_not_include_folders_with_a_longer_name() -> None:
    keys = ["shirts-old/a", "shirts.jpg", "shirts/a", "shirts/b/c", "shirts0", "shirts0/a", "shirtsleeves/a"]
    gallery = Gallery(np.tile(np.eye(2, dtype=np.float32)[0], (len(keys), 1)), keys)
    for folder in ("shirts", "shirts/"):
        assert [key for key, _ in gallery.search(gallery.vector("shirts0"), prefix=folder)] == [
            "shirts/a",
            "shirts/b/c",
        ]
        assert {gallery.random_key(folder) for _ in range(50)} == {"shirts/a", "shirts/b/c"}
    assert gallery.folders == {"shirts": 2, "shirts-old": 1, "shirts0": 1, "shirtsleeves": 1}


def test_an_image_with_just_the_least_score_is_found() -> None:
    gallery, vectors, _ = made(12)
    query = vectors[0].astype(np.float32)
    ranked = gallery.search(query)
    assert gallery.search(query, min_score=ranked[5].score) == ranked[:6]


def test_pages_fit_together() -> None:
    gallery, vectors, _ = made(40, copies=3)
    query = vectors[5].astype(np.float32)
    whole = gallery.search(query, k=100, dedupe=0.999)
    pages = [gallery.search(query, k=10, offset=start, dedupe=0.999) for start in range(0, 100, 10)]
    assert [neighbour for page in pages for neighbour in page] == whole
    assert len(whole) == 40


def test_dedupe_ranks_as_far_as_it_takes() -> None:
    """A thousand copies of the best image must not hide the second best."""
    vectors = np.vstack([np.tile([1.0, 0.0], (1000, 1)), [[0.8, 0.6]]]).astype(np.float16)
    gallery = Gallery(vectors, [f"{number:04d}" for number in range(1001)])
    found = gallery.search(np.array([1, 0], dtype=np.float32), k=16, dedupe=0.98)
    assert [neighbour.key for neighbour in found] == ["0000", "1000"]


def test_copies_have_a_cosine_of_one() -> None:
    gallery, vectors, _ = made(50, dimension=64, copies=2)
    assert len(gallery.search(vectors[0].astype(np.float32), k=100, dedupe=1)) == 50


def test_dedupe_leaves_out_copies_that_rank_far_from_the_one_it_keeps() -> None:
    """Beyond 256 ranks another matrix product compares them, and its last digits may differ."""
    gallery, vectors, _ = made(9, dimension=64, copies=300)
    assert len(gallery.search(vectors[0].astype(np.float32), k=100, dedupe=1)) == 9


def test_scores_are_cosines_rounded_to_six_decimals() -> None:
    gallery, vectors, keys = made(30, dimension=64)
    best = gallery.search(vectors[3].astype(np.float32), k=1)
    assert best == [Neighbour(keys[3], 1.0)]
    assert all(score == round(score, 6) for _, score in gallery.search(vectors[3].astype(np.float32), k=30))


def test_float16_keeps_the_neighbours_of_float64() -> None:
    random = np.random.default_rng(1)
    centres = random.normal(size=(200, 64))
    vectors = unit(np.repeat(centres, 20, axis=0) + 0.4 * random.normal(size=(4000, 64)))
    gallery = Gallery(vectors.astype(np.float16), [f"{number:04d}" for number in range(4000)])
    overlaps = []
    for query in unit(centres[:50] + 0.4 * random.normal(size=(50, 64))):
        exact = {f"{row:04d}" for row in np.argsort(-(vectors @ query))[:16]}
        overlaps.append(len(exact & {key for key, _ in gallery.search(query.astype(np.float32))}) / 16)
    assert np.mean(overlaps) >= 0.995


def test_every_float16_is_widened_exactly() -> None:
    """Every number below 1, subnormal ones and both zeros included, beside a 1 so that each row has a length."""
    numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
    small = numbers[np.abs(numbers) < 1]
    vectors = np.stack([small, np.ones_like(small)], axis=1)
    exact = vectors.astype(np.float64)
    lengths = np.sqrt(np.sum(exact**2, axis=1, keepdims=True))
    np.testing.assert_allclose(unit_rows(vectors), exact / lengths, rtol=2e-7, atol=0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rows_of_any_type_become_unit_float32(dtype: type) -> None:
    vectors: np.ndarray = np.random.default_rng(0).normal(size=(3000, 8)).astype(dtype)
    vectors[7] = 0
    rows = unit_rows(vectors)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.delete(rows, 7, axis=0), unit(np.delete(vectors, 7, axis=0)), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(np.delete(rows, 7, axis=0), axis=1), 1, atol=1e-6)
    assert not rows[7].any()


def test_a_random_key_may_be_any_in_its_folder_and_no_other() -> None:
    gallery, _, keys = made(12)
    shirts = {key for key in keys if key.startswith("shirts/")}
    assert {gallery.random_key("shirts") for _ in range(40 * len(shirts))} == shirts
    with pytest.raises(EmptyGalleryError, match="hats"):
        gallery.random_key("hats")


def test_an_empty_gallery_finds_nothing() -> None:
    gallery = Gallery(np.empty((0, 8), dtype=np.float16), [])
    assert gallery.search(np.ones(8, dtype=np.float32)) == []
    assert gallery.search(np.ones(8, dtype=np.float32), dedupe=0.9, prefix="a", exclude=["b"]) == []
    with pytest.raises(EmptyGalleryError, match="empty"):
        gallery.random_key()


def test_vectors_are_found_by_key() -> None:
    gallery, vectors, keys = made(12)
    np.testing.assert_allclose(gallery.vector(keys[7]), vectors[7], atol=1e-6)
    for unknown in ("", "zzz", keys[7] + "x"):
        with pytest.raises(UnknownKeyError):
            gallery.vector(unknown)


def test_the_vectors_must_be_a_matrix() -> None:
    with pytest.raises(ValueError, match="keys"):
        Gallery(np.ones(3, dtype=np.float32), ["a", "b", "c"])


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"], ["a"]])
def test_keys_must_be_ascending_and_as_many_as_rows(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="keys"):
        Gallery(np.eye(2, dtype=np.float16), keys)

"""Reading vectors.npy, in whatever parts it comes."""

from dataclasses import replace
from io import BytesIO
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import CorruptIndexError
from embeddings.index.generation import join_vectors, read_vectors
from embeddings.index.manifest import FileEntry, Manifest

COUNT, DIMENSION = 3000, 12
VECTORS = np.random.default_rng(0).normal(size=(COUNT, DIMENSION)).astype(np.float16)
ENTRY = FileEntry("a" * 64, 1)
MANIFEST = Manifest(
    generation="20261101T120000000000Z-0123abcd",
    built_at="2026-11-01T12:00:00+00:00",
    count=COUNT,
    failed=0,
    dimension=DIMENSION,
    dtype="float16",
    model=ENTRY,
    preprocess=1,
    files={},
)


def stored(vectors: NDArray[np.generic], order: Literal["C", "F"] = "C") -> bytes:
    file = BytesIO()
    np.save(file, np.asarray(vectors, order=order))
    return file.getvalue()


def parts_of(data: bytes, size: int) -> list[memoryview]:
    return [memoryview(data[start : start + size]) for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1000, 1024, 30_000, 10_000_000])
def test_parts_may_end_within_a_row(size: int) -> None:
    data = stored(VECTORS)
    np.testing.assert_array_equal(read_vectors(MANIFEST, data), VECTORS)
    parts = parts_of(data, size)
    np.testing.assert_array_equal(join_vectors(MANIFEST, parts), VECTORS)
    assert not parts  # they would take as much memory again


def test_an_empty_matrix() -> None:
    data = stored(VECTORS[:0])
    assert join_vectors(replace(MANIFEST, count=0), parts_of(data, 1000)).shape == (0, DIMENSION)


def test_a_header_may_be_longer_than_numpy_writes_it() -> None:
    data = stored(VECTORS)
    start, length = 10, int.from_bytes(data[8:10], "little")  # a newline ends the header
    padded = data[start : start + length - 1] + b" " * 5_000 + b"\n"
    data = data[:8] + len(padded).to_bytes(2, "little") + padded + data[start + length :]
    np.testing.assert_array_equal(join_vectors(MANIFEST, parts_of(data, 10_000)), VECTORS)


def test_the_manifest_must_name_the_type_of_the_numbers() -> None:
    with pytest.raises(CorruptIndexError, match=r"holds float16 .*, the manifest says float32"):
        read_vectors(replace(MANIFEST, dtype="float32"), stored(VECTORS))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no numpy file",
        stored(VECTORS)[:-2],
        stored(VECTORS) + b"\0\0",
        stored(VECTORS, order="F"),
        stored(VECTORS[1:]),
        stored(VECTORS.astype(np.float32)),
        stored(VECTORS.astype(np.int16)),
    ],
)
def test_a_matrix_that_contradicts_the_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptIndexError, match=r"vectors\.npy of the index"):
        read_vectors(MANIFEST, data)
    with pytest.raises(CorruptIndexError, match=r"vectors\.npy of the index"):
        join_vectors(MANIFEST, parts_of(data, 1000) or [memoryview(b"")])

"""Reading vectors.npy."""

from dataclasses import replace
from io import BytesIO
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.errors import CorruptIndexError
from embeddings.index.generation import read_vectors
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


def test_a_matrix_is_read_where_it_lies() -> None:
    """A copy would take as much memory again."""
    data = stored(VECTORS)
    read = read_vectors(MANIFEST, memoryview(data))
    np.testing.assert_array_equal(read, VECTORS)
    assert np.shares_memory(read, np.frombuffer(data, np.uint8))


def test_an_empty_matrix() -> None:
    data = stored(VECTORS[:0])
    assert read_vectors(replace(MANIFEST, count=0), data).shape == (0, DIMENSION)


def test_a_header_may_be_longer_than_numpy_writes_it() -> None:
    data = stored(VECTORS)
    start, length = 10, int.from_bytes(data[8:10], "little")  # a newline ends the header
    padded = data[start : start + length - 1] + b" " * 5_000 + b"\n"
    data = data[:8] + len(padded).to_bytes(2, "little") + padded + data[start + length :]
    np.testing.assert_array_equal(read_vectors(MANIFEST, data), VECTORS)


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

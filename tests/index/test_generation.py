"""Opening a generation: its files, its manifest and its model must agree."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError
from embeddings.index.fetch import GenerationFiles
from embeddings.index.generation import open_generation, read_folders
from embeddings.index.manifest import FileEntry, Manifest
from embeddings.preprocess import PREPROCESS_VERSION
from tests.index.test_vectors import MANIFEST, stored

MODELS = Path(__file__).parents[1] / "models"
KEYS = ["a.jpg", "b.jpg"]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(MODELS / "float32.tflite")


def manifest(embedder: Embedder, dimension: int | None = None) -> Manifest:
    return replace(
        MANIFEST,
        count=len(KEYS),
        dimension=embedder.dimension if dimension is None else dimension,
        model=FileEntry(embedder.sha256, 1),
        preprocess=PREPROCESS_VERSION,
    )


def files(dimension: int, keys: list[str] = KEYS, model: bytes | None = None) -> GenerationFiles:
    vectors = np.ones((len(KEYS), dimension), np.float16)
    lines = "".join(f"{key}\n" for key in keys).encode()
    return GenerationFiles([memoryview(stored(vectors))], lines, folders=b"", products=b"", model=model)


def test_the_embedder_before_is_used_again_if_it_is_the_same(embedder: Embedder) -> None:
    generation = open_generation(manifest(embedder), files(embedder.dimension), embedder)
    assert generation.embedder is embedder
    assert [*generation.gallery.keys] == KEYS  # type: ignore[attr-defined]


def test_an_embedder_of_another_model_is_a_mistake_of_the_caller(embedder: Embedder) -> None:
    other = replace(manifest(embedder), model=FileEntry(hashlib.sha256(b"another").hexdigest(), 1))
    for given in (embedder, None):
        with pytest.raises(ValueError, match="not this generation's"):
            open_generation(other, files(embedder.dimension), given)


@pytest.mark.parametrize("more", [-1, 1])
def test_the_models_dimension_must_be_that_of_the_vectors(embedder: Embedder, more: int) -> None:
    dimension = embedder.dimension + more
    with pytest.raises(CorruptIndexError, match=f"has dimension {dimension}, its model {embedder.dimension}"):
        open_generation(manifest(embedder, dimension), files(dimension), embedder)


@pytest.mark.parametrize("keys", [["a.jpg"], ["a.jpg", "b.jpg", "c.jpg"]])
def test_there_is_one_key_for_each_vector(embedder: Embedder, keys: list[str]) -> None:
    with pytest.raises(CorruptIndexError, match=f"has {len(keys)} keys, the manifest says 2"):
        open_generation(manifest(embedder), files(embedder.dimension, keys), embedder)


def test_folders_are_numbers_by_name() -> None:
    assert read_folders(MANIFEST, b'{"shirts": 2, "": 1}') == {"shirts": 2, "": 1}
    for damaged in (b"", b"[]", b"3", b'{"shirts": "many"}', b'{"shirts": null}', b"\xff", b"[" * 100_000):
        with pytest.raises(CorruptIndexError, match=r"folders\.json of the index is damaged"):
            read_folders(MANIFEST, damaged)

"""Opening a generation: its files, its manifest and its model must agree."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError
from embeddings.index.fetch import GenerationFiles
from embeddings.index.generation import Generation, open_gallery, open_model, read_folders
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


def files(dimension: int, keys: list[str] = KEYS) -> GenerationFiles:
    vectors = np.ones((len(KEYS), dimension), np.float16)
    lines = "".join(f"{key}\n" for key in keys).encode()
    return GenerationFiles(memoryview(stored(vectors)), lines, folders=b"", products=b"")


def test_a_gallery_has_the_keys_of_its_files(embedder: Embedder) -> None:
    gallery = open_gallery(manifest(embedder), files(embedder.dimension))
    assert [*gallery.keys] == KEYS  # type: ignore[attr-defined]


@pytest.mark.parametrize("more", [-1, 1])
def test_the_models_dimension_must_be_that_of_the_vectors(embedder: Embedder, more: int) -> None:
    dimension = embedder.dimension + more
    stated = manifest(embedder, dimension)
    gallery = open_gallery(stated, files(dimension))
    with pytest.raises(CorruptIndexError, match=f"has dimension {dimension}, its model {embedder.dimension}"):
        Generation(stated, gallery, embedder)


def test_a_file_that_is_no_model_is_refused(embedder: Embedder) -> None:
    with pytest.raises(CorruptIndexError, match=r"\.tflite of the index is unusable"):
        open_model(manifest(embedder), b"no model")


@pytest.mark.parametrize("keys", [["a.jpg"], ["a.jpg", "b.jpg", "c.jpg"]])
def test_there_is_one_key_for_each_vector(embedder: Embedder, keys: list[str]) -> None:
    with pytest.raises(CorruptIndexError, match=f"has {len(keys)} keys, the manifest says 2"):
        open_gallery(manifest(embedder), files(embedder.dimension, keys))


def test_folders_are_numbers_by_name() -> None:
    assert read_folders(MANIFEST, b'{"shirts": 2, "": 1}') == {"shirts": 2, "": 1}
    for damaged in (b"", b"[]", b"3", b'{"shirts": "many"}', b'{"shirts": null}', b"\xff", b"[" * 100_000):
        with pytest.raises(CorruptIndexError, match=r"folders\.json of the index is damaged"):
            read_folders(MANIFEST, damaged)

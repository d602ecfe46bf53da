"""Indexes of any size to measure with, of invented vectors that lie as those of garments do."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.index.publish import Content, Pointer, publish
from embeddings.index.sources import Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.storage.writers import open_writer

_CLUSTERS = 500
_BLOCK = 50_000


def published_index(rows: int, work: Path) -> Path:
    """Return a folder with an index of `rows` invented vectors and the shipped model; publish it if need be."""
    index = work / f"index-{rows}"
    pointer = index / "current.json"
    embedder = Embedder(BUNDLED_MODEL)
    if pointer.exists():
        manifest = json.loads(pointer.read_bytes())
        if (manifest["model"]["sha256"], manifest["preprocess"]) != (embedder.sha256, PREPROCESS_VERSION):
            shutil.rmtree(index)  # the handler would use the index's old model, or refuse its old preprocessing
    if not pointer.exists():
        etags = {key: str(number) for number, key in enumerate(gallery_keys(rows))}
        vectors = np.concatenate([each.astype(np.float16) for each in clustered_vectors(rows, embedder.dimension)])
        content = Content(vectors, Sources(etags), embedder.content)
        publish(open_writer(str(index)), content, Pointer(None, None), with_model=True)
    return index


def clustered_vectors(rows: int, dimension: int, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Yield blocks (at most 50,000, dimension) of unit vectors around 500 centres: garments cluster by their kind."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((_CLUSTERS, dimension), np.float32)
    for start in range(0, rows, _BLOCK):
        block = centres[rng.integers(_CLUSTERS, size=min(_BLOCK, rows - start))]
        block += rng.standard_normal(block.shape, np.float32)
        yield block / np.linalg.norm(block, axis=1, keepdims=True)


def gallery_keys(rows: int) -> Sequence[str]:
    """Make up keys of the usual length."""
    return [f"garments/photo-{number:08}.jpg" for number in range(rows)]

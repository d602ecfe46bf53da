"""Read an index without its model."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import GalleryIndexError, NotFoundError
from embeddings.index.fetch import check_file, fetch_generation, fetch_pointer, missing_file
from embeddings.index.generation import read_keys, read_products, read_vectors
from embeddings.index.manifest import SOURCES, Manifest
from embeddings.index.sources import Refusal, Sources
from embeddings.storage.reader import Reader
from embeddings.unit_rows import unit_rows
from scripts.reporting.index_products import ProductFigures, product_figures

Vectors = NDArray[np.float32]
"""Unit vectors (n, dimension)."""

TOP = "(no folder)"


@dataclass(frozen=True)
class Contents:
    """The current generation of an index."""

    manifest: Manifest
    keys: list[str]
    vectors: Vectors
    refusals: Mapping[str, Refusal]
    """Photos that could not be indexed, by key."""
    products: ProductFigures | None
    """None without a product feed."""

    @property
    def size(self) -> int:
        """Bytes in storage, of this generation and its model."""
        return sum(entry.size for entry in self.manifest.files.values()) + self.manifest.model.size


def read_contents(index: Reader) -> Contents:
    """Fetch and check the generation that the pointer names.

    Raises:
        GalleryIndexError: there is no index, it is damaged, or its vectors are in S3 Vectors.
        StorageError: storage failed.
    """
    manifest, _ = fetch_pointer(index)
    if manifest.vector_index is not None:
        raise GalleryIndexError(
            f"the vectors are in {manifest.vector_index}; a report needs an index with a matrix, to compare all of them"
        )
    files = fetch_generation(index, manifest)
    vectors = unit_rows(read_vectors(manifest, files.vectors))
    sources = _sources(index, manifest)
    products = product_figures(sources.feed, read_products(manifest, files.products))
    return Contents(manifest, read_keys(manifest, files.keys), vectors, sources.refusals, products)


def folder_of(key: str) -> str:
    """Return the first folder of a key."""
    folder, slash, _ = key.partition("/")
    return folder if slash else TOP


def folder_counts(keys: Iterable[str]) -> dict[str, int]:
    """Count images by first folder, most first."""
    return dict(Counter(map(folder_of, keys)).most_common())


def reason_counts(refusals: Mapping[str, Refusal]) -> dict[str, int]:
    """Count refused photos by reason, most first."""
    return dict(Counter(refusal.reason for refusal in refusals.values()).most_common())


def _sources(index: Reader, manifest: Manifest) -> Sources:
    path, entry = manifest.path(SOURCES), manifest.files[SOURCES]
    try:
        data = index.get(path).data
    except NotFoundError as error:
        raise missing_file(path) from error
    check_file(path, data, entry)
    return Sources.from_bytes(data, path)

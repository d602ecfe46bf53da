"""A generation opened for searching."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, ModelError
from embeddings.gallery import Gallery
from embeddings.index.fetch import GenerationFiles, fetch_generation, fetch_pointer
from embeddings.index.manifest import KEYS, VECTORS, Manifest
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.storage.reader import Reader


@dataclass(frozen=True)
class Generation:
    """What answers a query: the gallery's vectors, and the model that made them."""

    manifest: Manifest
    gallery: Gallery
    embedder: Embedder


def load_generation(reader: Reader) -> Generation:
    """Fetch and open the current generation.

    Raises:
        GalleryIndexError: there is none, or it is damaged. StorageError: storage failed.
    """
    manifest = fetch_pointer(reader).manifest
    return open_generation(manifest, fetch_generation(reader, manifest))


def open_generation(manifest: Manifest, files: GenerationFiles, embedder: Embedder | None = None) -> Generation:
    """Open fetched files.

    Args:
        embedder: one to use again; needed if `files.model` is None.

    Raises:
        CorruptIndexError: the files do not fit each other or the manifest.
    """
    if manifest.preprocess != PREPROCESS_VERSION:
        raise CorruptIndexError(
            f"the index was built with version {manifest.preprocess} of the preprocessing, this is version "
            f"{PREPROCESS_VERSION}: rebuild the index with the version that is deployed"
        )
    if files.model is not None:
        try:
            embedder = Embedder(files.model)
        except ModelError as error:
            raise CorruptIndexError(f"{manifest.model_path} of the index is unusable: {error}") from error
    if embedder is None or embedder.sha256 != manifest.model.sha256:
        raise ValueError("the embedder is not this generation's")
    vectors = read_vectors(manifest, files.vectors)
    keys = read_keys(manifest, files.keys)
    if embedder.dimension != manifest.dimension:
        raise CorruptIndexError(
            f"{manifest.path(VECTORS)} has dimension {manifest.dimension}, its model {embedder.dimension}; "
            "rebuild the index"
        )
    try:
        gallery = Gallery(vectors, keys)
    except ValueError as error:
        raise CorruptIndexError(f"{manifest.path(KEYS)} of the index is damaged: {error}") from error
    return Generation(manifest, gallery, embedder)


def read_vectors(manifest: Manifest, data: bytes) -> NDArray[np.floating]:
    """Parse vectors.npy; never unpickles.

    Raises:
        CorruptIndexError: not a matrix of the manifest's shape and type.
    """
    path = manifest.path(VECTORS)
    try:
        vectors: NDArray[np.floating] = np.load(BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise CorruptIndexError(f"{path} of the index is no numpy matrix ({error}); rebuild with --full") from error
    if vectors.shape != (manifest.count, manifest.dimension) or vectors.dtype.name != manifest.dtype:
        raise CorruptIndexError(
            f"{path} of the index holds {vectors.dtype.name} {vectors.shape}, the manifest says "
            f"{manifest.dtype} {(manifest.count, manifest.dimension)}; rebuild with --full"
        )
    return vectors


def read_keys(manifest: Manifest, data: bytes) -> list[str]:
    """Parse keys.txt: one key a line, UTF-8, row for row.

    Raises:
        CorruptIndexError: not text, or not as many as the manifest says.
    """
    try:
        keys = data.decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise CorruptIndexError(f"{manifest.path(KEYS)} of the index is not UTF-8; rebuild with --full") from error
    if len(keys) != manifest.count:
        raise CorruptIndexError(
            f"{manifest.path(KEYS)} of the index has {len(keys)} keys, the manifest says {manifest.count}; "
            "rebuild the index"
        )
    return keys

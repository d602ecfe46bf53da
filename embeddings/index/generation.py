"""A generation opened for searching."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, ModelError, StorageUriError
from embeddings.gallery import Gallery
from embeddings.index.fetch import GenerationFiles, fetch_generation, fetch_model, fetch_pointer
from embeddings.index.manifest import FOLDERS, KEYS, PRODUCTS, VECTORS, Manifest
from embeddings.neighbours import SearchableGallery
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.storage.reader import Reader

if TYPE_CHECKING:
    from embeddings.products.column import ColumnSummary
    from embeddings.products.columns import Columns

_LONGEST_HEADER = 10 + 0xFFFF
"""Bytes, in a .npy file of version 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""


@dataclass(frozen=True)
class Generation:
    """The gallery to search, and the model that made its vectors.

    Raises:
        CorruptIndexError: their dimensions differ.
    """

    manifest: Manifest
    gallery: SearchableGallery
    embedder: Embedder

    def __post_init__(self) -> None:
        if self.embedder.dimension != self.manifest.dimension:
            raise CorruptIndexError(
                f"{self.manifest.vector_index or self.manifest.path(VECTORS)} has dimension "
                f"{self.manifest.dimension}, its model {self.embedder.dimension}; rebuild the index"
            )


def load_generation(reader: Reader) -> Generation:
    """Fetch and open the current generation.

    Raises:
        GalleryIndexError: there is none, or it is damaged. StorageError: storage failed.
    """
    manifest, _ = fetch_pointer(reader)
    gallery = open_gallery(manifest, fetch_generation(reader, manifest))
    return Generation(manifest, gallery, open_model(manifest, fetch_model(reader, manifest)))


def open_model(manifest: Manifest, content: bytes) -> Embedder:
    """Open a fetched model.

    Raises:
        CorruptIndexError: it is no embedding model.
    """
    try:
        return Embedder(content)
    except ModelError as error:
        raise CorruptIndexError(f"{manifest.model_path} of the index is unusable: {error}") from error


def open_gallery(manifest: Manifest, files: GenerationFiles) -> SearchableGallery:
    """Open fetched files. The gallery goes on using the memory of `files.vectors`.

    Raises:
        CorruptIndexError: the files contradict each other or the manifest.
    """
    if manifest.preprocess != PREPROCESS_VERSION:
        raise CorruptIndexError(
            f"the index was built with version {manifest.preprocess} of the preprocessing, this is version "
            f"{PREPROCESS_VERSION}: rebuild the index with the version that is deployed"
        )
    if manifest.vector_index is not None:
        return _open_s3_vectors(manifest, manifest.vector_index, files)
    vectors = read_vectors(manifest, files.vectors)
    try:
        return Gallery(vectors, read_keys(manifest, files.keys), read_products(manifest, files.products))
    except ValueError as error:
        raise CorruptIndexError(f"{manifest.path(KEYS)} of the index is damaged: {error}") from error


def _open_s3_vectors(manifest: Manifest, index: VectorIndexName, files: GenerationFiles) -> SearchableGallery:
    folders, columns = read_folders(manifest, files.folders), read_columns(manifest, files.products)
    try:
        from embeddings.s3_vectors.gallery import S3VectorsGallery  # and with it botocore
    except ImportError as error:
        raise StorageUriError(f"{index} needs boto3: pip install boto3 ({error})") from error
    return S3VectorsGallery(index, manifest.dimension, manifest.count, folders, columns)


def read_products(manifest: Manifest, data: bytes) -> "Columns | None":
    """Open products.safetensors, for which `data` is empty if there is none.

    Raises:
        CorruptIndexError: it is damaged, of another format, or not about as many images as the manifest says.
    """
    if not data:
        return None
    from embeddings.products.columns import Columns  # only here: an index without products need not wait for it

    name = _products_file(manifest)
    columns = Columns.read(data, name)
    if len(columns.rows) != manifest.count:
        raise CorruptIndexError(
            f"{name} is about {len(columns.rows)} images, the manifest says {manifest.count}; rebuild the index"
        )
    return columns


def read_columns(manifest: Manifest, data: bytes) -> "Sequence[ColumnSummary]":
    """Describe the columns of products.safetensors, for which `data` is empty if there is none.

    Raises:
        CorruptIndexError: it is damaged or of another format.
    """
    if not data:
        return ()
    from embeddings.products.columns import read_summaries  # only here, as in `read_products`

    return read_summaries(data, _products_file(manifest))


def _products_file(manifest: Manifest) -> str:
    return f"{manifest.path(PRODUCTS)} of the index"


def read_folders(manifest: Manifest, data: bytes) -> dict[str, int]:
    """Parse folders.json: images by top folder.

    Raises:
        CorruptIndexError: it is not an object of whole numbers.
    """
    try:
        return {str(name): int(count) for name, count in json.loads(data).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptIndexError(f"{manifest.path(FOLDERS)} of the index is damaged ({error!r}); rebuild it") from error


def read_vectors(manifest: Manifest, data: bytes | memoryview) -> NDArray[np.floating]:
    """Parse vectors.npy, without ever unpickling.

    Raises:
        CorruptIndexError: not a matrix of the manifest's shape and type.
    """
    path = manifest.path(VECTORS)
    file = BytesIO(data[:_LONGEST_HEADER])
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("its version is not 1.0")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        # Other types may hold NaN or infinity. `widen` handles both in float16.
        if fortran_order or dtype != np.float16:
            raise ValueError(f"{dtype.str} is not row-major float16")
        if len(data) != file.tell() + math.prod(shape) * dtype.itemsize:
            raise ValueError(f"it has {len(data)} bytes")
    except (ValueError, EOFError, OSError) as error:
        raise CorruptIndexError(f"{path} of the index is not a numpy matrix ({error}); rebuild with --full") from error
    if shape != (manifest.count, manifest.dimension) or dtype.name != manifest.dtype:
        raise CorruptIndexError(
            f"{path} of the index holds {dtype.name} {shape}, the manifest says "
            f"{manifest.dtype} {(manifest.count, manifest.dimension)}; rebuild with --full"
        )
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape)


def read_keys(manifest: Manifest, data: bytes) -> list[str]:
    """Parse keys.txt: UTF-8, one key a line, in the order of the rows.

    Raises:
        CorruptIndexError: it is not UTF-8, or does not have as many keys as the manifest says.
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

"""Writing a generation, and making it the current one by compare-and-set."""

import gzip
import hashlib
import json
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import ConflictError, CorruptIndexError, NotFoundError, StorageError
from embeddings.index.fetch import check_file, missing_file
from embeddings.index.manifest import (
    FEED,
    FOLDERS,
    HIDDEN,
    KEYS,
    POINTER,
    PRODUCTS,
    SOURCES,
    VECTORS,
    FileEntry,
    Manifest,
    generation_folder,
    new_generation_id,
)
from embeddings.index.sources import Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.storage.objects import Writer

PAST_MANIFEST = "manifest.json"
"""Its manifest, in the generation's folder, written when it ceases to be the current one."""

Vectors = NDArray[np.float16]
"""A matrix, (n, dimension)."""

_SWAP_TRIES = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pointer:
    """The content of `current.json`, and the version that a swap of it is checked against."""

    manifest: Manifest | None
    """None before the first rebuild, or if it is damaged and may be replaced."""
    version: str | None
    """None before the first rebuild."""


@dataclass(frozen=True)
class ProductFiles:
    """What a generation says of products. All empty without a feed."""

    columns: bytes = b""
    """What `products.columns.pack_columns` or `pack_summaries` made."""
    feed: bytes = b""
    """The feed, which the next rebuilds use again if it vanishes."""

    def files(self) -> dict[str, bytes]:
        """Serialize the files, by name."""
        stored = {PRODUCTS: self.columns, FEED: self.feed and gzip.compress(self.feed, 1, mtime=0)}
        return {name: data for name, data in stored.items() if data}


@dataclass(frozen=True)
class Content:
    """The content of a new generation. Rows of vectors are in the order of the sources' shown or hidden keys."""

    vectors: Vectors
    sources: Sources
    model: bytes
    hidden: Vectors | None = None
    """The vectors of hidden photos, kept for the day when they are shown again."""
    products: ProductFiles = field(default_factory=ProductFiles)
    vector_index: None = None

    @property
    def count(self) -> int:
        """The number of images."""
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.vectors.shape[1])

    @property
    def dtype(self) -> str:
        """The vectors' type of number, as numpy names it."""
        return self.vectors.dtype.name

    def files(self) -> dict[str, bytes]:
        """Serialize the files, by name."""
        keys = "".join(f"{key}\n" for key in self.sources.shown).encode()
        files = {VECTORS: _npy(self.vectors), KEYS: keys, SOURCES: self.sources.to_bytes(), **self.products.files()}
        return files if self.hidden is None else {**files, HIDDEN: _npy(self.hidden)}


@dataclass(frozen=True)
class S3VectorsContent:
    """The content of a new generation if a vector index holds the vectors, keys and ETags, which it has already."""

    vector_index: VectorIndexName
    dimension: int
    count: int
    folders: Mapping[str, int]
    sources: Sources
    """Refusals and the feed alone."""
    model: bytes
    products: ProductFiles = field(default_factory=ProductFiles)
    dtype: str = "float32"

    def files(self) -> dict[str, bytes]:
        """Serialize the files, by name."""
        folders = json.dumps(self.folders).encode()
        return {FOLDERS: folders, SOURCES: self.sources.to_bytes(), **self.products.files()}


def read_pointer(writer: Writer, *, repair: bool = False) -> Pointer:
    """Read the pointer.

    Args:
        writer: storage of the index.
        repair: accept a damaged pointer, so that the next swap replaces it.

    Raises:
        CorruptIndexError: it is damaged. StorageError: storage failed.
    """
    try:
        found = writer.get(POINTER)
    except NotFoundError:
        return Pointer(None, None)
    try:
        return Pointer(Manifest.from_json(found.data), found.version)
    except CorruptIndexError:
        if not repair:
            raise
        return Pointer(None, found.version)


def read_file(writer: Writer, path: str, entry: FileEntry) -> bytes:
    """Read a file of the index, and check it.

    Raises:
        CorruptIndexError: it is missing, or its checksum differs from the manifest's. StorageError: storage failed.
    """
    try:
        data = writer.get(path).data
    except NotFoundError as error:
        raise missing_file(path) from error
    check_file(path, data, entry)
    return data


def publish(writer: Writer, content: Content | S3VectorsContent, replaces: Pointer, *, with_model: bool) -> Manifest:
    """Write a generation's files, read them back, then swap the pointer.

    Args:
        writer: storage of the index.
        content: what the generation holds.
        replaces: the pointer as it was read before.
        with_model: write the model too. Not needed if the generation before has the same.

    Raises:
        ConflictError: the pointer is no longer at `replaces`; nothing has changed for readers.
        StorageError: storage failed; nothing has changed for readers.
    """
    manifest = _write_files(writer, content, with_model=with_model)
    swap_pointer(writer, manifest, replaces)
    return manifest


def swap_pointer(writer: Writer, manifest: Manifest, replaces: Pointer) -> None:
    """Make `manifest` the current one if the pointer is still at `replaces`.

    The answer to a successful write may get lost, and the client's retry then loses against itself. So after any error
    this reads the pointer again, and takes it for success if the pointer is ours.

    Raises:
        ConflictError: another rebuild was faster. StorageError: storage failed.
    """
    if replaces.manifest is not None:
        past = generation_folder(replaces.manifest.generation) + PAST_MANIFEST
        writer.put(past, replaces.manifest.to_json(), content_type="application/json")
    for tries_left in reversed(range(_SWAP_TRIES)):
        try:
            writer.compare_and_set(
                POINTER,
                manifest.to_json(),
                replaces.version,
                content_type="application/json",
                cache_control="no-store",
            )
        except StorageError as error:
            found = read_pointer(writer, repair=True)
            if found.manifest == manifest:
                return
            if found.version != replaces.version:
                raise ConflictError("another rebuild has published in the meantime") from error
            if not tries_left:
                raise
            _log.warning("the pointer could not be written, trying again: %s", error)
            # Google Cloud Storage allows one write a second to an object, and two rebuilds must not retry in step.
            time.sleep(1 + random.random())  # noqa: S311 - jitter, no secret
        else:
            return


def _write_files(writer: Writer, content: Content | S3VectorsContent, *, with_model: bool) -> Manifest:
    now = datetime.now(UTC)
    files = content.files()
    entries = {name: _entry(data) for name, data in files.items()}
    model = _entry(content.model)
    manifest = Manifest(
        generation=new_generation_id(now),
        built_at=now.isoformat(timespec="seconds"),
        count=content.count,
        failed=len(content.sources.refusals),
        dimension=content.dimension,
        dtype=content.dtype,
        model=model,
        preprocess=PREPROCESS_VERSION,
        files=entries,
        vector_index=content.vector_index,
    )
    written = {manifest.path(name): (data, entries[name]) for name, data in files.items()}
    if with_model:
        written[manifest.model_path] = (content.model, model)
    for path, (data, entry) in written.items():
        writer.put(path, data)
        read_file(writer, path, entry)
    return manifest


def _npy(vectors: Vectors) -> bytes:
    file = BytesIO()
    np.save(file, vectors, allow_pickle=False)
    return file.getvalue()


def _entry(data: bytes) -> FileEntry:
    return FileEntry(hashlib.sha256(data).hexdigest(), len(data))

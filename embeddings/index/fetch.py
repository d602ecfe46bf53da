"""Fetching a generation's files. Needs no numpy, so that a cold start can fetch while numpy is imported."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from embeddings.errors import CorruptIndexError, NoIndexError, NotFoundError, WrongSizeError
from embeddings.index.manifest import (
    FOLDERS,
    KEYS,
    MOST_POINTER_BYTES,
    POINTER,
    PRODUCTS,
    VECTORS,
    FileEntry,
    Manifest,
)
from embeddings.storage.reader import Reader


@dataclass(frozen=True)
class GenerationFiles:
    """The files that a query needs beside the model, checked."""

    vectors: memoryview
    """The matrix."""
    keys: bytes
    """Empty, like `vectors`, if a vector index holds them."""
    folders: bytes
    """Empty unless a vector index holds the keys."""
    products: bytes
    """Empty without a product feed."""


def fetch_pointer(reader: Reader) -> tuple[Manifest, str]:
    """Read the pointer: the current generation's manifest, and the ETag by which a change is noticed.

    Raises:
        NoIndexError: there is none. CorruptIndexError: it is damaged. StorageError: storage failed.
    """
    try:
        found = reader.get(POINTER, most=MOST_POINTER_BYTES)
    except WrongSizeError as error:
        raise _too_large(error) from error
    except NotFoundError as error:
        raise NoIndexError(
            "there is no index yet: run scripts/rebuild_embeddings.py with this gallery and index"
        ) from error
    return Manifest.from_json(found.data), found.etag


def fetch_pointer_if_changed(reader: Reader, etag: str) -> tuple[Manifest, str] | None:
    """Read the pointer as `fetch_pointer` does, or return None if it still has this ETag.

    Raises:
        NotFoundError, CorruptIndexError, StorageError.
    """
    try:
        found = reader.get_if_changed(POINTER, etag, most=MOST_POINTER_BYTES)
    except WrongSizeError as error:
        raise _too_large(error) from error
    return None if found is None else (Manifest.from_json(found.data), found.etag)


def fetch_generation(reader: Reader, manifest: Manifest) -> GenerationFiles:
    """Fetch a generation's files in parallel, all but the model, and check them.

    Raises:
        CorruptIndexError: a file is missing or its checksum differs. StorageError: storage failed.
    """
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="fetch") as pool:
        wanted = {
            name: pool.submit(_fetch, reader, manifest.path(name), manifest.files[name])
            for name in (VECTORS, PRODUCTS, KEYS, FOLDERS)
            if name in manifest.files
        }
        vectors, keys, folders, products = (
            wanted.pop(name).result() if name in wanted else memoryview(b"")
            for name in (VECTORS, KEYS, FOLDERS, PRODUCTS)
        )
        return GenerationFiles(vectors, bytes(keys), bytes(folders), bytes(products))


def fetch_model(reader: Reader, manifest: Manifest) -> bytes:
    """Fetch a generation's model, and check it.

    Raises:
        CorruptIndexError: it is missing or its checksum differs. StorageError: storage failed.
    """
    return bytes(_fetch(reader, manifest.model_path, manifest.model))


def _too_large(error: WrongSizeError) -> CorruptIndexError:
    return CorruptIndexError(f"{POINTER} of the index is damaged ({error}); roll back, or rebuild with --full")


def _fetch(reader: Reader, path: str, entry: FileEntry) -> memoryview:
    checksum = hashlib.sha256()
    try:
        content = reader.get(path, size=entry.size, each=checksum.update).content
    except NotFoundError as error:
        raise missing_file(path) from error
    except WrongSizeError as error:
        raise CorruptIndexError(
            f"{path} of the index is damaged ({error}); roll back, or rebuild with --full"
        ) from error
    _check(path, checksum.hexdigest(), entry)
    return content


def missing_file(path: str) -> CorruptIndexError:
    """Return the error for a file that the manifest names and that is not there."""
    return CorruptIndexError(f"{path} of the index is missing; roll back, or rebuild with --full")


def check_file(path: str, data: bytes, entry: FileEntry) -> None:
    """Compare a file's content with its entry in the manifest.

    Raises:
        CorruptIndexError: they differ.
    """
    _check(path, hashlib.sha256(data).hexdigest(), entry)


def _check(path: str, checksum: str, entry: FileEntry) -> None:
    if checksum != entry.sha256:
        raise CorruptIndexError(
            f"{path} of the index is damaged (its checksum is not the manifest's); roll back, or rebuild with --full"
        )

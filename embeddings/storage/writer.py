"""Listing and writing, for the rebuild: one small protocol over boto3, google-cloud-storage and the file system."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from embeddings.storage.uri import StorageUri


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing says of an object."""

    key: str
    """Relative to the storage's prefix."""
    etag: str
    """Changes when, and only when, the content may have changed."""
    size: int
    """Bytes."""
    modified: datetime
    """UTC, aware."""


@dataclass(frozen=True)
class Versioned:
    """An object's content with the version that a conditional write is checked against."""

    data: bytes
    version: str


class Writer(Protocol):
    """Keys are relative to the URI's prefix. Errors are `embeddings.errors.StorageError` and its kinds."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in no promised order; folders' marker objects are left out."""

    def stat(self, key: str) -> ObjectInfo:
        """One object's listing entry. Raises NotFoundError."""

    def get(self, key: str) -> Versioned:
        """One object. Raises NotFoundError."""

    def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write unconditionally, whole or not at all."""

    def compare_and_set(
        self, key: str, data: bytes, version: str | None, *, content_type: str, cache_control: str
    ) -> None:
        """Write only if the object is still at `version` (None: only if there is none). Raises ConflictError."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete; keys that are already gone are fine."""


def open_writer(uri: str) -> Writer:
    """Open storage for listing and writing; the SDK is imported here and only for its own kind.

    Raises:
        StorageUriError: not such an address, or the SDK for it is not installed.
    """
    raise NotImplementedError(StorageUri)

"""Listing and writing, for the rebuild: one small protocol over boto3, google-cloud-storage and the file system."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing says of an object."""

    key: str
    """Relative to the storage's prefix; as it is there, so not always in normal form (`keys.key_problem`)."""
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
    """Opaque, and only for `compare_and_set` on the same backend: an ETag, a generation or a time of writing."""


class Writer(Protocol):
    """Keys are relative to the URI's prefix; one writer may be used from several threads.

    Every method raises `embeddings.errors.StorageError` when storage fails (the SDK has retried by then), when the
    bucket is missing, access is denied, or a key is not in normal form.
    """

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in no promised order; folders' marker objects are left out."""

    def stat(self, key: str) -> ObjectInfo:
        """One object's listing entry. Raises NotFoundError."""

    def get(self, key: str) -> Versioned:
        """One object, whole: look at its size first. Raises NotFoundError."""

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        cache_control: str | None = None,
    ) -> None:
        """Write unconditionally, whole or not at all. A folder keeps neither content type nor cache control."""

    def compare_and_set(
        self, key: str, data: bytes, version: str | None, *, content_type: str, cache_control: str
    ) -> None:
        """Write only if the object is still at `version` (None: only if there is none).

        Raises:
            ConflictError: it is not. An SDK's retry of a write whose answer was lost ends so too: read again.
            StorageError: storage failed, is busy, or writes this object too often (Google allows one a second).
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Delete; keys that are already gone are fine."""

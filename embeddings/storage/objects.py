"""Listing and writing, for the rebuild: one small protocol over boto3, google-cloud-storage and the file system."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class ObjectInfo:
    """An object as a listing shows it."""

    key: str
    """Relative to the URI's prefix. Exactly as stored, and so not always in normal form (`keys.key_problem`)."""
    etag: str
    """Differs if the content may have changed, and only then."""
    size: int
    """Bytes."""
    modified: datetime
    """UTC, aware."""
    hashed: bool = False
    """Whether the ETag is a hash of the content, so that objects with equal ETags are equal."""
    archived: bool = False
    """Whether it must be restored before it can be read."""


@dataclass(frozen=True)
class Versioned:
    """An object's content, and the version that a conditional write is checked against."""

    data: bytes
    version: str
    """Opaque: an ETag or a generation number. Only `compare_and_set` of the same backend understands it."""


class Writer(Protocol):
    """Lists, reads and writes objects. Keys are relative to the URI's prefix. Several threads may share a writer.

    Every method raises `embeddings.errors.StorageError` if storage fails (the SDK has retried by then), the bucket is
    missing, access is denied, or a key is not in normal form.
    """

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield all objects whose key starts with `prefix`, in any order, without marker objects of folders."""

    def stat(self, key: str) -> ObjectInfo:
        """Return one object's listing entry. Raises NotFoundError."""

    def get(self, key: str) -> Versioned:
        """Read a whole object. Check its size first if it may be large. Raises NotFoundError."""

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        cache_control: str | None = None,
    ) -> None:
        """Write unconditionally, all or nothing. A local folder keeps neither content type nor cache control."""

    def compare_and_set(
        self, key: str, data: bytes, version: str | None, *, content_type: str, cache_control: str
    ) -> None:
        """Write only if the object is still at `version`; with None, only if there is no object.

        Raises:
            ConflictError: it is not. If the answer to a write is lost, the SDK's retry ends here too: read again.
            StorageError: storage failed or is busy. Google allows one write a second to an object.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Keys that are already gone are no error."""

"""Errors as clients see them: RFC 9457 problem details, and the one table from exception to status.

The message of a library error may name buckets, keys or paths, which clients must not see: only messages about the
client's own photo are passed on. docs/errors.md explains each type, and the service shows the same under /docs.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from embeddings import errors


class Problem(NamedTuple):
    """One error, as it is told to a client."""

    status: int
    slug: str
    """The last part of the type's URI and its heading in docs/errors.md; it never changes."""
    title: str
    detail: str
    headers: Mapping[str, str]

    def body(self) -> bytes:
        """Return the `application/problem+json` document."""
        fields = {
            "type": f"urn:garment-search:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            # Relative: the service knows its own address only from what a client says.
            "help": f"/docs#{self.slug}",
        }
        return json.dumps(fields).encode()


class RequestError(Exception):
    """The request itself is wrong or comes at the wrong time; carries the problem to answer with."""

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(status, slug, title, detail, headers or {})


class _Row(NamedTuple):
    exception: type[Exception]
    status: int
    slug: str
    title: str
    detail: str | None
    """None to pass on the exception's own message."""


_RETRY_SECONDS = "10"

# The first row that fits wins.
_TABLE = (
    _Row(errors.EmptyPhotoError, 400, "photo-empty", "The photo is empty", None),
    _Row(errors.PhotoTooLargeError, 413, "photo-too-large", "The photo is too large", None),
    _Row(errors.UnsupportedPhotoError, 415, "photo-unsupported", "Unsupported image format", None),
    _Row(errors.BrokenPhotoError, 422, "photo-broken", "The photo is damaged", None),
    _Row(
        errors.UnknownKeyError, 404, "key-unknown", "No such image",
        "The gallery has no image with this key; it may have been removed.",
    ),
    _Row(
        errors.UnknownProductError, 404, "product-unknown", "No such product",
        "The gallery has no photo of a product with this id; it may have left the product feed.",
    ),
    _Row(
        errors.EmptyGalleryError, 404, "gallery-empty", "The gallery is empty",
        "There is no image in the gallery, or none in the folder or with the conditions that were asked for.",
    ),
    _Row(
        errors.SearchDepthError, 400, "parameter-invalid", "The search is too deep",
        "This gallery is searched by an engine that returns at most 100 results: make offset + k smaller.",
    ),
    _Row(
        errors.NoIndexError, 503, "index-missing", "The gallery is not indexed yet",
        "There is no index yet. The operator creates one with scripts/rebuild_embeddings.py.",
    ),
    _Row(
        errors.GalleryIndexError, 503, "index-unusable", "The index cannot be used",
        "The index is damaged or was written by another version. The log names the file; the operator can roll back "
        "or run scripts/rebuild_embeddings.py --full.",
    ),
    _Row(
        errors.ModelError, 503, "model-unusable", "The model cannot be used",
        "The index's model gives unusable answers. The log gives the reason.",
    ),
    _Row(
        errors.GarmentSearchError, 503, "storage-unavailable", "Storage does not answer",
        "The service cannot read its storage at the moment. Try again in a few seconds.",
    ),
    _Row(Exception, 500, "internal", "Internal error", "Something went wrong in the service. The log has the details."),
)  # fmt: skip


def problem_of(error: Exception) -> Problem:
    """Return the problem to answer an exception with."""
    if isinstance(error, RequestError):
        return error.problem
    row = next(row for row in _TABLE if isinstance(error, row.exception))
    headers = {"Retry-After": _RETRY_SECONDS} if row.status == 503 else {}
    detail = _sentence(str(error)) if row.detail is None else row.detail
    return Problem(row.status, row.slug, row.title, detail, headers)


def _sentence(message: str) -> str:
    """Make a library's message a sentence."""
    return f"{message[:1].upper()}{message[1:]}."

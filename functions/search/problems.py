"""Errors as clients see them: RFC 9457 problem details. The one table from exception to status is here.

A library error's own message may name buckets, keys or paths, which are nobody's business outside: only the messages
about a client's own photo are passed on. docs/errors.md explains each type, and so does the service itself under /docs.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from embeddings import errors


class Problem(NamedTuple):
    """What is wrong, for the client."""

    status: int
    slug: str
    """Last part of the type's URI and its heading in docs/errors.md; stable."""
    title: str
    detail: str
    headers: Mapping[str, str]

    def body(self) -> bytes:
        """The `application/problem+json` document."""
        fields = {
            "type": f"urn:garment-search:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            # Relative, as the service knows its own address only from what a client says.
            "help": f"/docs#{self.slug}",
        }
        return json.dumps(fields).encode()


class RequestError(Exception):
    """The request cannot be answered for a reason that has to do with HTTP; carries its problem."""

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
    """None: the exception's own message."""


_RETRY_SECONDS = "10"

# The first row that fits counts.
_TABLE = (
    _Row(errors.EmptyPhotoError, 400, "photo-empty", "The photo is empty", None),
    _Row(errors.PhotoTooLargeError, 413, "photo-too-large", "The photo is too large", None),
    _Row(errors.UnsupportedPhotoError, 415, "photo-unsupported", "Not a photo this service reads", None),
    _Row(errors.BrokenPhotoError, 422, "photo-broken", "The photo is damaged", None),
    _Row(
        errors.UnknownKeyError, 404, "key-unknown", "No such image",
        "This image is not, or no longer, in the gallery.",
    ),
    _Row(
        errors.EmptyGalleryError, 404, "gallery-empty", "The gallery is empty",
        "There is no image in the gallery, or in the folder asked for.",
    ),
    _Row(
        errors.SearchDepthError, 400, "parameter-invalid", "The search is too deep",
        "This gallery is asked of an engine that gives 100 results: ask for fewer with offset + k.",
    ),
    _Row(
        errors.NoIndexError, 503, "index-missing", "The gallery is not indexed yet",
        "There is no index yet. The operator creates it by running scripts/rebuild_embeddings.py.",
    ),
    _Row(
        errors.GalleryIndexError, 503, "index-unusable", "The index cannot be used",
        "The index is damaged or of another version. The operator finds the file's name in the log, and repairs it by "
        "rolling back or by running scripts/rebuild_embeddings.py --full.",
    ),
    _Row(
        errors.ModelError, 503, "model-unusable", "The model cannot be used",
        "The index's model does not answer as it should. The operator finds the reason in the log.",
    ),
    _Row(
        errors.GarmentSearchError, 503, "storage-unavailable", "Storage does not answer",
        "The service cannot read its storage at the moment. Try again in a few seconds.",
    ),
    _Row(Exception, 500, "internal", "Internal error", "Something went wrong here. The operator finds it in the log."),
)  # fmt: skip


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is answered with."""
    if isinstance(error, RequestError):
        return error.problem
    row = next(row for row in _TABLE if isinstance(error, row.exception))
    headers = {"Retry-After": _RETRY_SECONDS} if row.status == 503 else {}
    detail = _sentence(str(error)) if row.detail is None else row.detail
    return Problem(row.status, row.slug, row.title, detail, headers)


def _sentence(message: str) -> str:
    """A library's message as people read it on a page."""
    return f"{message[:1].upper()}{message[1:]}."

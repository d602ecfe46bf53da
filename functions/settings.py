"""The functions' settings, read from the environment and checked once, at start. docs/settings.md explains each one."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar
from urllib.parse import urlsplit

from embeddings.errors import StorageUriError
from embeddings.s3_vectors.address import VECTOR_BUCKET_NAME
from embeddings.storage.uri import StorageUri

T = TypeVar("T")

# The form in which browsers send it: lower case, no path, no trailing slash.
# https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin
# Apps and browser extensions have their own schemes, such as capacitor://localhost.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names every such setting and says what to set."""


@dataclass(frozen=True)
class SearchSettings:
    """The settings of the search function."""

    index_uri: str
    gallery_uri: str
    """"" unless it is set; signed URLs need it."""
    image_base_url: str
    """The public base of the gallery, without a trailing slash; "" where URLs are signed."""
    signed_url_seconds: int
    """How long a signed URL is valid; 0 where URLs are public."""
    cors_origins: tuple[str, ...]
    """The origins that may read answers; ("*",) for all."""
    refresh_seconds: float
    max_upload_bytes: int
    max_pixels: int
    base_path: str
    """The path under which the service lies, such as "/search"; "" for the root of its host."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read and check the settings.

        Raises:
            SettingsError: with every problem at once.
        """
        reading = _Reading(environment)
        settings = cls(
            index_uri=reading.required("INDEX_URI", _uri),
            gallery_uri=reading.get("GALLERY_URI", _uri, default=""),
            image_base_url=reading.get("IMAGE_BASE_URL", _base_url, default=""),
            signed_url_seconds=reading.get("SIGNED_URL_SECONDS", _whole(1, 604_800), default=0),
            cors_origins=reading.get("CORS_ORIGINS", _origins, default=("*",)),
            refresh_seconds=reading.get("REFRESH_SECONDS", _whole(0, 86_400), default=60),
            max_upload_bytes=reading.get("MAX_UPLOAD_BYTES", _whole(1_000, 100_000_000), default=10_000_000),
            max_pixels=reading.get("MAX_PIXELS", _whole(25_600, 500_000_000), default=50_000_000),
            base_path=reading.get("BASE_PATH", _base_path, default=""),
        )
        if bool(settings.image_base_url) == bool(settings.signed_url_seconds):
            reading.problems.append(
                "set one of IMAGE_BASE_URL (a public gallery) and SIGNED_URL_SECONDS (a private one)"
            )
        if settings.signed_url_seconds and not settings.gallery_uri.startswith(("s3://", "gs://")):
            reading.problems.append("SIGNED_URL_SECONDS needs GALLERY_URI to be an s3:// or gs:// bucket")
        reading.check()
        return settings


@dataclass(frozen=True)
class ReindexSettings:
    """The settings of the re-index functions."""

    index_uri: str
    gallery_uri: str
    reindex_seconds: float
    """How long one run may take; infinite where the platform tells the function, or sets no limit."""
    reindex_queue_url: str
    """The queue through which an unfinished run continues; "" where there is none."""
    vector_bucket: str
    """The bucket of S3 Vectors to keep the vectors in; "" to leave them where they are, at first in the index."""
    feed_uri: str
    """The product feed; "" for the one that the index was made with, at first `feed.csv` in the gallery."""
    image_base_url: str
    """The public base of the gallery, which the feed's links may begin with; "" for the last one."""
    hide_unlisted: bool | None
    """Whether to hide photos that the feed does not list; None as last time."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read and check the settings.

        Raises:
            SettingsError: with every problem at once.
        """
        reading = _Reading(environment)
        settings = cls(
            index_uri=reading.required("INDEX_URI", _uri),
            gallery_uri=reading.required("GALLERY_URI", _uri),
            reindex_seconds=reading.get("REINDEX_SECONDS", _whole(1, 86_400), default=math.inf),
            reindex_queue_url=reading.get("REINDEX_QUEUE_URL", _queue_url, default=""),
            vector_bucket=reading.get("VECTOR_BUCKET", _vector_bucket, default=""),
            feed_uri=reading.get("FEED_URI", _uri, default=""),
            image_base_url=reading.get("IMAGE_BASE_URL", _base_url, default=""),
            hide_unlisted=reading.get("UNLISTED", _unlisted, default=None),
        )
        reading.check()
        return settings


class _Reading:
    """Reads settings one by one and collects what is wrong with them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def get(self, name: str, parse: Callable[[str], T], *, default: T) -> T:
        """Parse a setting; return `default` if it is blank or wrong."""
        text = self._environment.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, StorageUriError) as error:
            self.problems.append(f"{name} is {text!r}: {error}")
            return default

    def required(self, name: str, parse: Callable[[str], str]) -> str:
        """Parse a setting that may not be blank; return "" if it is blank or wrong."""
        if not self._environment.get(name, "").strip():
            self.problems.append(f"{name} is not set")
        return self.get(name, parse, default="")

    def check(self) -> None:
        """Raise `SettingsError` if there were problems."""
        if self.problems:
            raise SettingsError("cannot start: " + "; ".join(self.problems))


def _uri(text: str) -> str:
    StorageUri.parse(text)
    return text


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("give an http(s) address without a query, such as https://images.example.com/gallery")
    return text.rstrip("/")


def _base_path(text: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", text):
        raise ValueError("give the path under which the service lies, such as /search")
    return text.rstrip("/")


def _queue_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or not parts.path.strip("/"):
        raise ValueError("give the queue's URL, such as https://sqs.eu-central-1.amazonaws.com/123456789012/reindex")
    return text


def _vector_bucket(text: str) -> str:
    if not VECTOR_BUCKET_NAME.fullmatch(text):
        raise ValueError("give the name of a vector bucket of Amazon S3 Vectors, such as shop-vectors")
    return text


def _unlisted(text: str) -> bool | None:
    if text not in ("keep", "hide"):
        raise ValueError("give keep or hide")
    return text == "hide"


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(each.strip() for each in text.split(",") if each.strip())
    if not origins or ("*" in origins and len(origins) > 1):
        raise ValueError("give either * or a list of origins")
    for each in origins:
        if each != "*" and not _ORIGIN.fullmatch(each):
            raise ValueError(
                f"{each!r} is not an origin as browsers send it; give * or a list such as https://a.example,https://b.example"
            )
    return origins


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"give a whole number from {least} to {most}")
        return int(text)

    return parse

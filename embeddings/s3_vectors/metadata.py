"""The metadata beside a vector: folders to filter by, a number for random draws, the photo's ETag, and its product."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from embeddings.storage.keys import key_problem

ETAG = "etag"
"""Not filterable, so that queries are not charged for it."""
DRAWS = 2**32
"""Each key has a fixed number below this; the numbers are evenly spread."""

_MOST_BYTES = 2_000
"""Filterable metadata may have 2 KB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html"""

_SEEN_BYTES = 250
"""The most that what the model sees in a photo takes of these."""

Filter = dict[str, Any]


def metadata_of(key: str, etag: str, shown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make the metadata to write with a vector.

    Args:
        key: the photo's.
        etag: the photo's.
        shown: what `products.product_metadata` and `products.seen_metadata` made.
    """
    return {**_filterable(key), ETAG: etag, **(shown or {})}


def space_left(key: str) -> int:
    """Return how many bytes a product may add that are filterable."""
    return _MOST_BYTES - _SEEN_BYTES - len(json.dumps(_filterable(key)).encode())


def metadata_problem(key: str) -> str | None:
    """Say in a few words why a vector index cannot hold a key, or return None if it can."""
    if problem := key_problem(key):
        return problem
    size = len(json.dumps(_filterable(key)).encode())
    return f"its folders' names are too long for a vector index ({size:,} bytes)" if size > _MOST_BYTES else None


def in_folder(folder: str) -> Filter:
    """Make the filter for a folder and all below it; "" is everything.

    `$eq` holds for a list that contains the value: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
    """
    return {"folders": {"$eq": folder}} if folder else {}


def drawn(folder: str, first: int, end: int) -> Filter:
    """Make the filter for a folder's images with numbers from `first` to below `end`."""
    conditions = [{"draw": {"$gte": first}}, {"draw": {"$lt": end}}]
    return {"$and": [*conditions, in_folder(folder)] if folder else conditions}


def _filterable(key: str) -> dict[str, Any]:
    parts = key.split("/")[:-1]
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4])
    return {"draw": draw, **({"folders": folders} if folders else {})}

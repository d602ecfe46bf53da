"""A photo's product in the metadata of its vector: texts and numbers to filter by, and JSON for the answers.

The engine allows 2 KB to filter by, 40 KB in all, and 50 names:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-limitations.html
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from embeddings.products.columns import SEEN
from embeddings.products.product import Price, Product, Value
from embeddings.products.seen import Seen
from embeddings.products.vocabulary import fold

PRODUCT = "product"
"""The JSON. Not filterable."""
PREFIX = "product."
"""Begins the name of a column to filter by. Texts are folded as for a matrix's filters, and a price is its number."""

MOST_JSON_BYTES = 36_000
"""The engine's limit for all metadata, less what is filterable and the folders."""
MOST_COLUMNS = 40
_LAST = ("title", "link")
"""Columns to filter by only if there is space after all others: hardly anybody does."""


def product_metadata(product: Product, space: int) -> tuple[dict[str, Any], set[str]]:
    """Make the metadata of a product.

    Args:
        product: the photo's.
        space: bytes left for what is filterable.

    Returns:
        The metadata, and the columns that did not fit and so cannot be filtered by, or are missing from answers.
    """
    values: dict[str, Value] = {"id": product.id, "item_group_id": product.group, **product.values}
    metadata: dict[str, Any] = {}
    left_out = set()
    for name in sorted(values, key=lambda each: each in _LAST):
        held = {PREFIX + name: _filterable(values[name])}
        size = len(json.dumps(held).encode())
        if size <= space and len(metadata) < MOST_COLUMNS:
            metadata |= held
            space -= size
        else:
            left_out.add(name)
    shown = _shown(product)
    while len(text := json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()) > MOST_JSON_BYTES:
        longest = max((name for name in shown if name != "id"), key=lambda name: len(json.dumps(shown[name])))
        del shown[longest]
        left_out.add(longest)
    return {**metadata, PRODUCT: text.decode()}, left_out


def fingerprint(metadata: Mapping[str, Any]) -> bytes:
    """Return 8 bytes that tell the products of two vectors apart; b"" for no product."""
    text = metadata.get(PRODUCT)
    return b"" if text is None else hashlib.blake2b(str(text).encode(), digest_size=8).digest()


def product_part(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what metadata says of the product."""
    return {name: value for name, value in metadata.items() if name == PRODUCT or name.startswith(PREFIX)}


def seen_metadata(seen: Seen) -> dict[str, Any]:
    """Make the metadata of what the model sees in a photo: `seen.kind`, ..., to filter by and for the answers."""
    values = {SEEN + name: list(value) if isinstance(value, tuple) else value for name, value in seen._asdict().items()}
    return {name: value for name, value in values.items() if value}


def seen_part(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what metadata says of what the model sees."""
    return {name: value for name, value in metadata.items() if name.startswith(SEEN)}


def seen_of(metadata: Mapping[str, Any]) -> Seen:
    """Return what `seen_metadata` was made of."""
    return Seen.of({name.removeprefix(SEEN): value for name, value in seen_part(metadata).items()})


def _filterable(value: Value) -> str | float | list[str]:
    if isinstance(value, Price):
        return value.value
    if isinstance(value, tuple):
        return list(dict.fromkeys(map(fold, value)))
    return fold(value) if isinstance(value, str) else value


def _shown(product: Product) -> dict[str, Any]:
    group = {} if product.group == product.id else {"item_group_id": product.group}
    return {"id": product.id, **group, **{name: _for_json(value) for name, value in product.values.items()}}


def _for_json(value: Value) -> Any:
    if isinstance(value, Price):
        return {"value": value.value, "currency": value.currency}
    return list(value) if isinstance(value, tuple) else value

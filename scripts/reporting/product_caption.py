"""Name a result's product in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from embeddings.neighbours import Found


def products_of(found: Found) -> Sequence[Mapping[str, Any] | None]:
    """Return the product of each result, None for all in an index without products."""
    return found.products or [None] * len(found)


def caption(product: Mapping[str, Any] | None) -> str:
    """Return a product's title and price; "" for none."""
    if product is None:
        return ""
    price = product.get("sale_price") or product.get("price")
    amount = f"{price['value']:.2f} {price['currency']}" if isinstance(price, Mapping) else ""
    return "  ".join(part for part in (str(product.get("title", product.get("id", ""))), amount) if part)

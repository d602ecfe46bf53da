"""What S3 Vectors has found, and what the products in its metadata say of it."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from embeddings.neighbours import MOST_OTHERS
from embeddings.products.column import ColumnSummary
from embeddings.products.columns import SEEN, Columns, pack_columns
from embeddings.products.facets import Facet, count_facets
from embeddings.products.product import Price, Product, Value
from embeddings.products.seen import Seen
from embeddings.s3_vectors.products import PRODUCT, seen_of, seen_part


class Hit:
    """One image that was found."""

    def __init__(self, key: str, score: float, metadata: Mapping[str, Any]) -> None:
        self.key = key
        self.score = score
        """Its cosine to the query, rounded to 6 decimals."""
        self._metadata = metadata

    @cached_property
    def product(self) -> dict[str, Any] | None:
        """Its product for JSON, or None."""
        text = self._metadata.get(PRODUCT)
        return None if text is None else dict(json.loads(text))

    @property
    def id(self) -> str | None:
        """The `id` of its product."""
        return None if self.product is None else str(self.product["id"])

    @property
    def group(self) -> str | None:
        """The `item_group_id` of its product."""
        return None if self.product is None else str(self.product.get("item_group_id", self.product["id"]))

    def seen_fields(self, fields: Collection[str] | None) -> dict[str, Any] | None:
        """Return these columns of what the model sees in it, without `seen.` before the names; None for all."""
        part = seen_part(self._metadata).items()
        return {name.removeprefix(SEEN): each for name, each in part if fields is None or name in fields} or None

    @property
    def seen(self) -> Seen:
        """What the model sees in it."""
        return seen_of(self._metadata)

    def product_fields(self, fields: Collection[str] | None) -> dict[str, Any] | None:
        """Return these columns of its product; None for all."""
        if self.product is None or fields is None:
            return self.product
        return {name: value for name, value in self.product.items() if name in fields}


def other_photos(shown: Sequence[Hit], hits: Sequence[Hit]) -> list[list[str]]:
    """For each hit that is shown, list the others of its product, best first."""
    others: dict[str | None, list[str]] = {}
    for hit in hits:
        if hit.group is not None and hit not in shown:
            others.setdefault(hit.group, []).append(hit.key)
    return [others.get(hit.group, [])[:MOST_OTHERS] for hit in shown]


def count_hits(
    hits: Sequence[Hit], names: Sequence[str], summaries: Sequence[ColumnSummary], *, grouped: bool
) -> dict[str, Facet]:
    """Count the values of columns, as `count_facets` does."""
    columns = Columns.read(pack_columns([_product(hit, names) for hit in hits], [hit.seen for hit in hits]))
    present = {each.name for each in columns.summaries}
    counted = count_facets(columns, [name for name in names if name in present], range(len(hits)), grouped=grouped)
    numeric = {each.name for each in summaries if each.numeric}
    nothing: dict[bool, Facet] = {True: {"least": None, "most": None}, False: {"values": []}}
    return {name: counted.get(name, nothing[name in numeric]) for name in names}


def _product(hit: Hit, names: Collection[str]) -> Product | None:
    if hit.product is None or hit.id is None or hit.group is None:
        return None
    return Product(hit.id, hit.group, {name: _value(hit.product[name]) for name in names if name in hit.product})


def _value(value: Any) -> Value:
    if isinstance(value, dict):
        return Price(**value)
    return tuple(value) if isinstance(value, list) else value

"""What an index says of products: how many photos show one, which rows found none, which columns are empty."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from embeddings.index.sources import FeedState
from embeddings.products.column import Column, TextColumn
from embeddings.products.columns import Columns

_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|\b[\d,]+\b")


@dataclass(frozen=True)
class ProductFigures:
    """The product feed of an index, and what became of it."""

    feed: FeedState
    count: int
    """Different products, or variants of them."""
    filled: dict[str, int]
    """Products with a value, by column."""

    def reasons(self) -> dict[str, int]:
        """Count the refused rows that the index lists by reason, most first. Names and numbers are left out."""
        return dict(Counter(_NAMES.sub("…", each.reason) for each in self.feed.refusals).most_common())

    def summary(self) -> str:
        """Return a line for a terminal."""
        empty = f"; empty columns: {', '.join(self.feed.empty_columns)}" if self.feed.empty_columns else ""
        hidden = f", {len(self.feed.hidden):,} are hidden" if self.feed.hidden else ""
        return (
            f"products: {self.count:,}; {self.feed.products:,} images show one{hidden}; "
            f"{self.feed.rows_failed:,} rows of the feed failed{empty}"
        )

    def as_record(self) -> dict[str, Any]:
        """Return the figures in the form of JSON."""
        return {
            "feed": self.feed.uri,
            "photos": self.feed.products,
            "hidden": len(self.feed.hidden),
            "products": self.count,
            "rows_failed": self.feed.rows_failed,
            "reasons": self.reasons(),
            "filled": self.filled,
            "empty_columns": list(self.feed.empty_columns),
        }


def product_figures(feed: FeedState | None, columns: Columns | None) -> ProductFigures | None:
    """Compute the figures; None for an index without a feed."""
    if feed is None:
        return None
    if columns is None:
        return ProductFigures(feed, 0, {})
    filled = {each.name: _filled(columns[each.name]) for each in columns.summaries}
    return ProductFigures(feed, len(columns) - 1, filled)


def _filled(column: Column) -> int:
    if not isinstance(column, TextColumn):
        return int(np.count_nonzero(~np.isnan(column.numbers)))
    if column.owners is not None:
        return len(np.unique(column.owners))
    return int(np.count_nonzero(column.codes < len(column.vocabulary)))

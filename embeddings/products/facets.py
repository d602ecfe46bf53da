"""What the photos or products that match a search have in a column: frequent values, or the range of its numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.products.column import NumberColumn, TextColumn, most_frequent, number_range
from embeddings.products.columns import Columns

MOST_VALUES = 20
"""How many values of a column are listed."""

Facet = dict[str, Any]
"""For JSON: `values`, each with `value` and `count`; or `least` and `most`, both None if there is no number."""


def count_facets(
    columns: Columns, names: Sequence[str], rows: NDArray[np.integer] | range, *, grouped: bool
) -> dict[str, Facet]:
    """Count the values of columns.

    Args:
        columns: of all photos.
        names: the columns to count.
        rows: the photos that match.
        grouped: count each `item_group_id` once, instead of each photo.
    """
    photos = np.bincount(columns.rows[rows], minlength=len(columns))
    return {name: _facet(columns, name, photos, grouped=grouped) for name in names}


def _facet(columns: Columns, name: str, photos: NDArray[np.int64], *, grouped: bool) -> Facet:
    column = columns[name]
    if isinstance(column, NumberColumn):
        least, most = number_range(column.numbers[photos > 0])
        return {"least": least, "most": most}
    by_code = column.counts(photos)
    first = column.spellings()
    counts = _count_groups(columns, column, photos, first) if grouped else np.add.reduceat(by_code, first)
    values = []
    for place in most_frequent(counts, MOST_VALUES):
        end = first[place + 1] if place + 1 < len(first) else len(by_code)
        code = first[place] + int(by_code[first[place] : end].argmax())
        values.append({"value": column.vocabulary[code], "count": int(counts[place])})
    return {"values": values}


def _count_groups(
    columns: Columns, column: TextColumn, photos: NDArray[np.int64], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count for each text, whatever its spelling, the groups that have it. A photo without a product is one."""
    products = np.flatnonzero(photos) if column.owners is None else column.owners
    codes = column.codes[products] if column.owners is None else column.codes
    shown = (photos[products] > 0) & (codes < len(column.vocabulary))
    products, codes = products[shown], codes[shown]
    text_of = np.repeat(np.arange(len(first)), np.diff(first, append=len(column.vocabulary)))
    groups = columns.product_groups[products].astype(np.int64)
    single = groups < 0
    alone = np.bincount(text_of[codes[single]], photos[products[single]], len(first)).astype(np.int64)
    pairs = groups[~single] * len(first) + text_of[codes[~single]]
    pairs.sort()  # ten times as fast as np.unique
    distinct = pairs[np.diff(pairs, prepend=-1) > 0]
    return alone + np.bincount(distinct % len(first), minlength=len(first))

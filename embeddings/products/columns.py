"""The products of a generation as columns: packed by a rebuild, kept in memory by a search."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import CorruptIndexError
from embeddings.products.column import (
    Arrays,
    Column,
    ColumnSummary,
    Mask,
    TextColumn,
    column_arrays,
    open_column,
)
from embeddings.products.product import Product, Value
from embeddings.products.safetensors import pack_arrays, unpack_arrays
from embeddings.products.where import Condition

FORMAT = "1"
ID, GROUP = "id", "item_group_id"
"""The columns that every product has. `item_group_id` is stored for all, and shown where it is not the `id`."""
_ROWS = "rows"


class Columns:
    """The products that the photos of a gallery show, photo for photo.

    Photos of the same product share its values. After all products comes one without values, which the photos without
    a product share.
    """

    def __init__(self, arrays: Arrays, summaries: Sequence[ColumnSummary]) -> None:
        """Take arrays that `pack_columns` made.

        Raises:
            ValueError, KeyError: arrays are missing or do not fit each other.
        """
        self.rows: NDArray[np.int32] = arrays[_ROWS]
        """The product of each photo."""
        self.summaries = summaries
        count = len(arrays[f"{ID}.codes"])
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < count:
            raise ValueError("a photo shows a product that is not there")
        self._no_product = count - 1
        self._columns = {each.name: open_column(each.name, arrays, count) for each in summaries}
        self._ids, self._groups = self.text_column(ID), self.text_column(GROUP)

    @classmethod
    def read(cls, content: bytes, name: str = "the file of products") -> "Columns":
        """Open what `pack_columns` wrote, without copying it; `name` is the file, for error messages.

        Raises:
            CorruptIndexError: it is damaged, or has a format that this version does not know.
        """
        arrays, summaries = _opened(content, name)
        with _damage_named(name):
            return cls(arrays, summaries)

    def __getitem__(self, name: str) -> Column:
        """Return a column by its name."""
        return self._columns[name]

    def text_column(self, name: str) -> TextColumn:
        """Return a column that is known to hold texts."""
        column = self._columns[name]
        if not isinstance(column, TextColumn):
            raise TypeError(f"the column {name} holds no texts")
        return column

    def __len__(self) -> int:
        """Count the products, and the one without values."""
        return self._no_product + 1

    @property
    def product_groups(self) -> NDArray[np.int32]:
        """A number for each product, the same for all with the same `item_group_id`."""
        return self._groups.codes.astype(np.int32)

    @cached_property
    def groups(self) -> NDArray[np.int32]:
        """A number for each photo, the same for all photos of an `item_group_id`; -1 for those without a product."""
        groups = self.product_groups
        groups[self._no_product] = -1
        return groups[self.rows]

    def group_of(self, product: str) -> int | None:
        """Return the number in `groups` of the product with this `item_group_id` or `id`; None if there is none."""
        group = self._groups.vocabulary.code(product)
        if group is not None:
            return group
        code = self._ids.vocabulary.code(product)
        if code is None:
            return None
        return int(self._groups.codes[np.flatnonzero(self._ids.codes == code)[0]])

    def product(self, row: int, fields: Collection[str] | None = None) -> dict[str, Any] | None:
        """Return the product of a photo for JSON, or None.

        Args:
            row: the photo's.
            fields: the columns to return; None for all. Those without a value are left out.
        """
        product = int(self.rows[row])
        if product == self._no_product:
            return None
        values = {
            name: column.value(product) for name, column in self._columns.items() if fields is None or name in fields
        }
        if values.get(GROUP) == self._ids.value(product):
            del values[GROUP]
        return {name: value for name, value in values.items() if value is not None}

    def matches(self, conditions: Iterable[Condition], rows: slice) -> Mask:
        """Say which photos of a slice meet all conditions."""
        met = np.ones(len(self), bool)
        for condition in conditions:
            column = self._columns[condition.column]
            held = column.holds(condition.texts) if isinstance(column, TextColumn) else column.within(condition.ranges)
            met &= held ^ condition.negated
        kept: Mask = met[self.rows[rows]]
        return kept


def pack_columns(products: Sequence[Product | None]) -> bytes:
    """Pack the product of each photo, in the order of the matrix's rows. Equal products give equal bytes.

    Args:
        products: None for a photo without a product. Photos of the same product give products with the same `id`.

    Raises:
        TypeError: a column holds both texts and numbers.
    """
    distinct = {each.id: each for each in products if each is not None}
    place = {id_: number for number, id_ in enumerate(distinct)}
    rows = np.array([len(place) if each is None else place[each.id] for each in products], np.int32)
    arrays, summaries = _packed(list(distinct.values()))
    return pack_arrays({_ROWS: rows, **arrays}, _metadata(summaries))


def pack_summaries(products: Iterable[Product]) -> bytes:
    """Pack what describes the columns, where the products themselves lie in S3 Vectors."""
    _, summaries = _packed(list({each.id: each for each in products}.values()))
    return pack_arrays({}, _metadata(summaries))


def read_summaries(content: bytes, name: str = "the file of products") -> list[ColumnSummary]:
    """Read the descriptions of the columns from what `pack_columns` or `pack_summaries` wrote.

    Raises:
        CorruptIndexError: it is damaged, or has a format that this version does not know.
    """
    return _opened(content, name)[1]


def _opened(content: bytes, name: str) -> tuple[Arrays, list[ColumnSummary]]:
    with _damage_named(name):
        arrays, metadata = unpack_arrays(content)
        if metadata["format"] != FORMAT:
            raise CorruptIndexError(
                f"{name} has format {metadata['format']!r}, this version reads {FORMAT!r}: "
                "rebuild the index with the version that reads it"
            )
        columns = json.loads(metadata["columns"])
        return arrays, [ColumnSummary(**{**each, "values": tuple(each["values"])}) for each in columns]


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise CorruptIndexError(f"{name} is damaged ({error!r}); rebuild with --full") from error


def _metadata(summaries: Iterable[ColumnSummary]) -> dict[str, str]:
    columns = [each._asdict() for each in summaries]
    return {"format": FORMAT, "columns": json.dumps(columns, separators=(",", ":"))}


def _packed(products: Sequence[Product]) -> tuple[Arrays, list[ColumnSummary]]:
    """Make the arrays and summaries of the products and, after them, of one without values."""
    names = dict.fromkeys([ID, GROUP, *(name for each in products for name in each.values)])
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        arrays |= column_arrays(name, [*(_value(each, name) for each in products), None])
    return arrays, [open_column(name, arrays, len(products) + 1).summary() for name in names]


def _value(product: Product, name: str) -> Value | None:
    return product.id if name == ID else product.group if name == GROUP else product.values.get(name)

"""The products of a generation as columns: packed by a rebuild, kept in memory by a search."""

import json
from collections import Counter
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
    text_arrays,
)
from embeddings.products.product import Product, Value
from embeddings.products.safetensors import pack_arrays, unpack_arrays
from embeddings.products.seen import Seen
from embeddings.products.where import Condition

FORMAT, SEEN_FORMAT = "1", "2"
"""Without and with columns of what the model sees. A version that does not know those refuses the second."""
ID, GROUP = "id", "item_group_id"
"""The columns that every product has. `item_group_id` is stored for all, and shown where it is not the `id`."""
NAMING = ("title", "brand")
"""The columns that a search in words looks into."""
SEEN = "seen."
"""Begins the names of columns of what the model sees, which no feed's column can have: `seen.kind`, ..."""
_ROWS, _HIDDEN = "rows", "hidden"


class Columns:
    """The products that the photos of a gallery show and what the model sees there, photo for photo.

    Photos of the same product share its values if the model sees the same in them. After all comes one without values,
    which the photos share that show no product and in which nothing is seen.
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
        self._columns = {each.name: open_column(each.name, arrays, count) for each in summaries}
        self._ids, self._groups = TextColumn(ID, arrays, count), TextColumn(GROUP, arrays, count)
        self._count = count

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
        """Count the products, each as often as the model sees something else in its photos, and what has no product."""
        return self._count

    @property
    def product_groups(self) -> NDArray[np.int32]:
        """A number for each product, the same for all with the same `item_group_id`; -1 where there is no product."""
        groups = self._groups.codes.astype(np.int32)
        groups[self._ids.codes == len(self._ids.vocabulary)] = -1
        return groups

    @cached_property
    def groups(self) -> NDArray[np.int32]:
        """A number for each photo, the same for all photos of an `item_group_id`; -1 for those without a product."""
        return self.product_groups[self.rows]

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
        product_id = self._ids.value(int(self.rows[row]))
        if product_id is None:
            return None
        values = self._values(row, [name for name in self._columns if not name.startswith(SEEN)], fields)
        if values.get(GROUP) == product_id:
            del values[GROUP]
        return values

    def seen(self, row: int, fields: Collection[str] | None = None) -> dict[str, Any] | None:
        """Return what the model sees in a photo for JSON, without `seen.` before the names; None if nothing.

        Args:
            row: the photo's.
            fields: the columns to return; None for all.
        """
        values = self._values(row, [name for name in self._columns if name.startswith(SEEN)], fields)
        return {name.removeprefix(SEEN): value for name, value in values.items()} or None

    def _values(self, row: int, names: Iterable[str], fields: Collection[str] | None) -> dict[str, Any]:
        product = int(self.rows[row])
        values = {name: self._columns[name].value(product) for name in names if fields is None or name in fields}
        return {name: value for name, value in values.items() if value is not None}

    def matches(self, conditions: Iterable[Condition], rows: slice) -> Mask:
        """Say which photos of a slice meet all conditions."""
        met = np.ones(len(self), bool)
        for condition in conditions:
            met &= self._held(condition) ^ condition.negated
        kept: Mask = met[self.rows[rows]]
        return kept

    def named(self, word: str) -> Mask:
        """Say which products have a word, in lower case, in their title or brand."""
        held = np.zeros(len(self), bool)
        for name in NAMING:
            column = self._columns.get(name)
            if isinstance(column, TextColumn):
                held |= column.has_word(word)
        return held

    def _held(self, condition: Condition) -> Mask:
        if condition.word:
            return self.named(condition.word)
        column = self._columns[condition.column]
        return column.holds(condition.texts) if isinstance(column, TextColumn) else column.within(condition.ranges)


def pack_columns(products: Sequence[Product | None], seen: Sequence[Seen] = (), hidden: Sequence[Seen] = ()) -> bytes:
    """Pack the product of each photo, in the order of the matrix's rows. Equal products give equal bytes.

    Args:
        products: None for a photo without a product. Photos of the same product give products with the same `id`.
        seen: what the model sees in each photo; empty for a model that does not tell.
        hidden: the same of hidden photos, which only `read_seen` returns.

    Raises:
        TypeError: a column holds both texts and numbers.
    """
    shown = list(zip(products, seen, strict=True)) if seen else [(each, Seen()) for each in products]
    entries = [*shown, *((None, each) for each in hidden)]
    distinct = {_name(each): each for each in entries if each != _NOTHING}
    place = {name: number for number, name in enumerate(distinct)}
    rows = np.array([len(place) if each == _NOTHING else place[_name(each)] for each in entries], np.int32)
    arrays, summaries = _packed([*distinct.values(), _NOTHING], rows[: len(shown)])
    arrays = {_ROWS: rows[: len(shown)], **({_HIDDEN: rows[len(shown) :]} if hidden else {}), **arrays}
    return pack_arrays(arrays, _metadata(summaries))


def pack_summaries(products: Iterable[Product], seen: Iterable[Seen] = ()) -> bytes:
    """Pack what describes the columns, where the products themselves lie in S3 Vectors.

    Args:
        products: those of all photos.
        seen: what the model sees in all photos.
    """
    distinct = {each.id: each for each in products}
    counted = Counter(seen)
    entries: list[_Entry] = [*((each, Seen()) for each in distinct.values()), *((None, each) for each in counted)]
    rows = np.repeat(np.arange(len(entries)), [*[1] * len(distinct), *counted.values()])
    return pack_arrays({}, _metadata(_packed([*entries, _NOTHING], rows)[1]))


def read_seen(content: bytes, name: str = "the file of products") -> list[Seen]:
    """Return what the model sees in each photo, and after all in each hidden one; nothing if it does not tell.

    Raises:
        CorruptIndexError: it is damaged, or has a format that this version does not know.
    """
    arrays, summaries = _opened(content, name)
    with _damage_named(name):
        columns = Columns(arrays, summaries)
        told = [each.name for each in summaries if each.name.startswith(SEEN)]
        if not told:
            return []
        values = [{each.removeprefix(SEEN): columns[each].value(row) for each in told} for row in range(len(columns))]
        seen = [Seen.of(each) for each in values]
        return [seen[row] for row in (*columns.rows.tolist(), *arrays.get(_HIDDEN, columns.rows[:0]).tolist())]


def read_summaries(content: bytes, name: str = "the file of products") -> list[ColumnSummary]:
    """Read the descriptions of the columns from what `pack_columns` or `pack_summaries` wrote.

    Raises:
        CorruptIndexError: it is damaged, or has a format that this version does not know.
    """
    return _opened(content, name)[1]


def _opened(content: bytes, name: str) -> tuple[Arrays, list[ColumnSummary]]:
    with _damage_named(name):
        arrays, metadata = unpack_arrays(content)
        if metadata["format"] not in (FORMAT, SEEN_FORMAT):
            raise CorruptIndexError(
                f"{name} has format {metadata['format']!r}, this version reads {FORMAT!r} and {SEEN_FORMAT!r}: "
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


def _metadata(summaries: Sequence[ColumnSummary]) -> dict[str, str]:
    columns = [each._asdict() for each in summaries]
    seen = any(each.name.startswith(SEEN) for each in summaries)
    return {"format": SEEN_FORMAT if seen else FORMAT, "columns": json.dumps(columns, separators=(",", ":"))}


_Entry = tuple[Product | None, Seen]
_NOTHING: _Entry = (None, Seen())


def _name(entry: _Entry) -> tuple[str | None, Seen]:
    product, seen = entry
    return None if product is None else product.id, seen


def _packed(
    entries: Sequence[_Entry], rows: NDArray[np.integer]
) -> tuple[dict[str, NDArray[Any]], list[ColumnSummary]]:
    """Make the arrays of distinct entries, and the summaries of their columns; `rows` are the photos' entries."""
    products = [product for product, _ in entries]
    names = dict.fromkeys([ID, GROUP, *(name for each in products if each is not None for name in each.values)])
    arrays: dict[str, NDArray[Any]] = {}
    for name in names:
        arrays |= column_arrays(name, [None if each is None else _value(each, name) for each in products])
    summaries = []
    if any(each is not None for each in products) or all(seen == Seen() for _, seen in entries):
        first = np.zeros(len(entries), np.int64)
        first[list({each.id: place for place, each in enumerate(products) if each is not None}.values())] = 1
        for name in names:
            column = open_column(name, arrays, len(entries))
            summaries.append(column.summary(first) if isinstance(column, TextColumn) else column.summary())
    photos = np.bincount(rows, minlength=len(entries))
    for field in Seen._fields:
        values = [getattr(seen, field) or None for _, seen in entries]
        if any(values):
            name = SEEN + field
            arrays |= text_arrays(name, [() if each is None and field == "words" else each for each in values])
            summaries.append(TextColumn(name, arrays, len(entries)).summary(photos))
    return arrays, summaries


def _value(product: Product, name: str) -> Value | None:
    return product.id if name == ID else product.group if name == GROUP else product.values.get(name)

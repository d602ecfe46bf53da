"""Reading a product feed: CSV, TSV, RSS 2.0 or Atom, as Google Merchant Center, Meta and shop systems use it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from embeddings.errors import FeedError
from embeddings.products.product import Product
from embeddings.products.records import MOST_COLUMNS, Record, Refusals, RowRefusal
from embeddings.products.table import column_names, read_table
from embeddings.products.values import LEFT_OUT, is_number, plain, values_of

MOST_BYTES = 500_000_000
MOST_ROWS = 2_000_000
_MOST_ID_CHARACTERS = 200
_NOT_TEXT = {
    b"\x1f\x8b": "it is compressed: store it as it is",
    b"PK": "it is a ZIP or Excel file: export CSV",
    b"\xff\xfe": "it is UTF-16: save it as UTF-8",
    b"\xfe\xff": "it is UTF-16: save it as UTF-8",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A usable row of the feed."""

    line: int
    product: Product
    key: str
    """The photo's key, from a column of this service's own; "" if the feed has no such column."""
    image_link: str
    additional_image_links: tuple[str, ...]


@dataclass(frozen=True)
class Feed:
    """The rows of a feed, in its order."""

    rows: list[Row]
    refusals: Refusals
    empty_columns: tuple[str, ...] = ()
    """Columns of a table that no usable row has a value in."""


def read_feed(content: bytes) -> Feed:
    """Read a feed. A row that cannot be used is refused, with its line and the reason, and stops no other.

    Raises:
        FeedError: the feed as a whole is none, or it has no usable row.
    """
    if len(content) > MOST_BYTES:
        raise FeedError(f"it has {len(content):,} bytes, the limit is {MOST_BYTES:,}")
    rows: list[Row] = []
    refusals = Refusals()
    lines: dict[str, int] = {}
    for record in _records(content):
        if isinstance(record, RowRefusal):
            refusals.add(record)
            continue
        product_id = plain(record.cells.get("id", ""))
        try:
            if product_id in lines:
                raise ValueError(f"its id is that of line {lines[product_id]}")
            rows.append(_row(record, product_id))
        except ValueError as error:
            refusals.add(RowRefusal(record.line, product_id[:_MOST_ID_CHARACTERS], str(error)))
        else:
            lines[product_id] = record.line
            if len(rows) > MOST_ROWS:
                raise FeedError(f"it has more than {MOST_ROWS:,} rows")
    if not rows:
        said = "".join(f"; line {each.line}: {each.reason}" for each in refusals.first[:1])
        raise FeedError(f"it has no usable row{said}")
    return Feed(_with_numbers(rows), refusals, _empty_columns(content, rows))


def _empty_columns(content: bytes, rows: list[Row]) -> tuple[str, ...]:
    if _is_xml(content):
        return ()
    filled = {name for row in rows for name in row.product.values} | LEFT_OUT
    return tuple(name for name in column_names(content) if name not in filled)


def _is_xml(content: bytes) -> bool:
    return _beginning(content).startswith(b"<")


def _beginning(content: bytes) -> bytes:
    return content[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()


def _records(content: bytes) -> Iterator[Record | RowRefusal]:
    for start, problem in _NOT_TEXT.items():
        if content.startswith(start):
            raise FeedError(problem)
    beginning = _beginning(content)
    if not beginning:
        raise FeedError("it is empty")
    if beginning.lower().startswith((b"<!doctype html", b"<html")):
        raise FeedError("it is an HTML page: give the address of the feed itself")
    if _is_xml(content):
        from embeddings.products.xml_items import read_items  # and with it defusedxml

        return read_items(content)
    return read_table(content)


def _row(record: Record, product_id: str) -> Row:
    """Interpret a row's cells. Raises ValueError."""
    cells = record.cells
    if not product_id:
        raise ValueError("it has no id")
    if len(product_id) > _MOST_ID_CHARACTERS:
        raise ValueError(f"its id has {len(product_id):,} characters, the limit is {_MOST_ID_CHARACTERS}")
    group = plain(cells.get("item_group_id", ""))[:_MOST_ID_CHARACTERS] or product_id
    links = tuple(each.strip() for each in cells.get("additional_image_link", "").split(",") if each.strip())
    row = Row(
        record.line,
        Product(product_id, group, values_of(cells)),
        cells.get("key", "").strip(),
        cells.get("image_link", "").strip(),
        links,
    )
    if not (row.key or row.image_link or links):
        raise ValueError("it names no photo: it has no key, no image_link and no additional_image_link")
    return row


def _with_numbers(rows: list[Row]) -> list[Row]:
    """Turn the texts of columns that hold nothing but numbers into numbers. Raises FeedError."""
    numeric: dict[str, bool] = {}
    for row in rows:
        for name, value in row.product.values.items():
            if numeric.get(name, True):
                numeric[name] = is_number(name, value)
    if len(numeric) > MOST_COLUMNS:
        raise FeedError(f"its items have {len(numeric):,} different attributes, the limit is {MOST_COLUMNS}")
    numbers = {name for name, holds in numeric.items() if holds}
    return [_converted(row, numbers) for row in rows] if numbers else rows


def _converted(row: Row, numbers: set[str]) -> Row:
    values: Mapping[str, object] = row.product.values
    found = {name: float(str(values[name])) for name in values.keys() & numbers}
    if not found:
        return row
    product = replace(row.product, values={**row.product.values, **found})
    return replace(row, product=product)

"""Rows of a feed in CSV or TSV, with a header."""

import csv
import io
from collections.abc import Iterator

from embeddings.errors import FeedError
from embeddings.products.records import (
    MOST_CELL_CHARACTERS,
    MOST_COLUMNS,
    Record,
    RowRefusal,
    cells_problem,
    column_name,
)

_DELIMITERS = "\t,;"
_MOST_RESTARTS = 1_000
"""A row whose quotes do not match may swallow the rows after it, so reading begins again on its second line. It does so
this often at most: otherwise a hostile feed would be read a hundred thousand times over."""


def read_table(content: bytes) -> Iterator[Record | RowRefusal]:
    """Read CSV or TSV row by row: UTF-8, separated by tabs, commas or semicolons, as the header shows.

    Raises:
        FeedError: the header has no column `id`, or too many columns; or quotes do not match in too many rows.
    """
    lines = _Lines(content)
    heading = next((line for line in lines if line.strip()), "")
    delimiter, names = _header(heading)
    rows = csv.reader(lines, delimiter=delimiter)
    restarts = 0
    while True:
        first, second = lines.number + 1, lines.after_next()
        try:
            row = next(rows, None)
            problem = None
        except csv.Error as error:
            row, problem = [], _csv_problem(error)
        if row is None:
            return
        while len(row) > len(names) and not row[-1]:
            row.pop()
        if not any(row) and problem is None:
            continue
        if problem is None and len(row) != len(names):
            problem = f"the row has {len(row)} cells, the header {len(names)}"
        if problem is not None and lines.number > first:
            problem += f"; it ends on line {lines.number}: is a quote not closed?"
            lines.go_back(first, second)
            restarts += 1
            if restarts > _MOST_RESTARTS:
                raise FeedError(f"line {first}: {problem}; that is the case in more than {_MOST_RESTARTS:,} rows")
        cells = {name: cell for name, cell in zip(names, row, strict=False) if name and cell}
        problem = problem or cells_problem(cells)
        if problem is None:
            yield Record(first, cells)
        else:
            yield RowRefusal(first, "", problem)


def column_names(content: bytes) -> list[str]:
    """Return the columns that the header names.

    Raises:
        FeedError: it has no column `id`, or too many columns.
    """
    heading = next((line for line in _Lines(content) if line.strip()), "")
    return [name for name in _header(heading)[1] if name]


def _header(line: str) -> tuple[str, list[str]]:
    """Find the delimiter, and name the columns; a column that is there twice counts once, the first time."""
    for delimiter in _DELIMITERS:
        try:
            headings = next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
        except csv.Error as error:
            raise FeedError(f"its header cannot be read: {_csv_problem(error)}") from error
        names = [column_name(each) for each in headings]
        if "id" in names:
            break
    else:
        raise FeedError(f"its header has no column id; it begins with {line[:100].strip()!r}")
    if len(names) > MOST_COLUMNS:
        raise FeedError(f"it has {len(names):,} columns, the limit is {MOST_COLUMNS}")
    return delimiter, [name if name not in names[:place] else "" for place, name in enumerate(names)]


def _csv_problem(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell has more than {MOST_CELL_CHARACTERS:,} characters"
    return str(error)


class _Lines:
    """Iterates over the lines of the content, decoded one by one, and can go back to an earlier one.

    Bytes that are not UTF-8 become surrogates, by which `cells_problem` knows them.
    """

    def __init__(self, content: bytes) -> None:
        if b"\n" not in content[:MOST_CELL_CHARACTERS]:
            content = content.replace(b"\r", b"\n")
        self._content = content.removeprefix(b"\xef\xbb\xbf")
        self._offset = 0
        self.number = 0
        """The line that was returned last."""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._offset >= len(self._content):
            raise StopIteration
        start, self._offset = self._offset, self.after_next()
        self.number += 1
        return self._content[start : self._offset].decode(errors="surrogateescape")

    def after_next(self) -> int:
        """Return the offset of the line after the next one."""
        return self._content.find(b"\n", self._offset) + 1 or len(self._content)

    def go_back(self, number: int, offset: int) -> None:
        """Continue after line `number`, at `offset`."""
        self.number, self._offset = number, offset

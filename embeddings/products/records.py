"""Rows of a feed before anything in them is interpreted, and rows that cannot be used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_CELL_CHARACTERS = 131_072
"""A longer cell is damage: most often a quote that is never closed."""
MOST_COLUMNS = 200
_MOST_NAME_CHARACTERS = 50


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table, or one item of an XML feed."""

    line: int
    """Where it begins; the first line of the feed is 1."""
    cells: Mapping[str, str]
    """By column, in the order of the feed."""


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """The reason why a row of the feed is not used."""

    line: int
    id: str
    """"" where the row has none, or none that can be read."""
    reason: str


MOST_KEPT = 1_000


@dataclass
class Refusals:
    """Rows that cannot be used. All are counted and the first are kept, as a feed may hold millions."""

    count: int = 0
    first: list[RowRefusal] = field(default_factory=list)

    def add(self, refusal: RowRefusal) -> None:
        """Count a row, and keep it if it is one of the first 1,000."""
        self.count += 1
        if len(self.first) < MOST_KEPT:
            self.first.append(refusal)

    def __add__(self, other: "Refusals") -> "Refusals":
        merged = sorted([*self.first, *other.first], key=lambda each: each.line)
        return Refusals(self.count + other.count, merged[:MOST_KEPT])


def column_name(heading: str) -> str:
    """Return the name of a column in the form of the specification: `g:Image Link` is `image_link`.

    Returns:
        "" for a heading that names nothing.
    """
    name = re.sub(r"[^a-z0-9]+", "_", heading.lower().removeprefix("g:").strip())
    return name.strip("_").lstrip("0123456789_")[:_MOST_NAME_CHARACTERS]


def cells_problem(cells: Mapping[str, str]) -> str | None:
    """Say why no row may have one of these cells, by column; or return None."""
    return next((problem for each in cells.items() if (problem := _cell_problem(*each))), None)


def _cell_problem(name: str, cell: str) -> str | None:
    if len(cell) > MOST_CELL_CHARACTERS:
        return f"{name} has {len(cell):,} characters, the limit is {MOST_CELL_CHARACTERS:,}"
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError:
            return f"{name} is not UTF-8: save the feed as UTF-8"
    return None

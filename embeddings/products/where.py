"""Conditions on products, such as `brand:Nike,Puma`, `price:10..50` or `-availability:out_of_stock`.

A condition names a column and values. Commas mean or, `-` before it means not, and several conditions mean and. A
backslash makes the comma after it part of a value. What has no value, and a photo without a product, meets no condition
but those with `-`.
"""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from embeddings.errors import ConditionError
from embeddings.products.column import ColumnSummary
from embeddings.products.vocabulary import fold

MOST_CONDITIONS, MOST_VALUES, LONGEST_VALUE = 16, 64, 256
"""Together they bound what a search may cost, and how long it is read."""
_LONGEST = MOST_VALUES * (LONGEST_VALUE + 2)
_COMMA = re.compile(r"(?<!\\),")


class Condition(NamedTuple):
    """One condition; it holds for a product with one of `texts`, with a number in one of `ranges`, or named so."""

    column: str
    negated: bool
    texts: tuple[str, ...] = ()
    """Folded, in a column of texts."""
    ranges: tuple[tuple[float, float], ...] = ()
    """Ends included, in a column of numbers."""
    word: str = ""
    """In lower case: a word of its title or brand, whatever the column."""


def parse_where(given: Sequence[str], columns: Sequence[ColumnSummary]) -> list[Condition]:
    """Read conditions, and check them against the columns that there are.

    Raises:
        ConditionError: one is malformed, names no column, or does not fit its column's type.
    """
    if len(given) > MOST_CONDITIONS:
        raise ConditionError(f"give at most {MOST_CONDITIONS} conditions")
    return [_condition(text, columns) for text in given]


def known_column(name: str, columns: Sequence[ColumnSummary]) -> ColumnSummary:
    """Find a column by its name.

    Raises:
        ConditionError: there is none.
    """
    found = next((each for each in columns if each.name == name), None)
    if found is None:
        raise ConditionError(f"there is no such column; {_listed(columns)}")
    return found


def _condition(text: str, columns: Sequence[ColumnSummary]) -> Condition:
    if len(text) > _LONGEST:
        raise ConditionError(f"a condition has at most {MOST_VALUES} values of at most {LONGEST_VALUE} characters")
    name, colon, rest = text.strip().removeprefix("-").partition(":")
    column = known_column(name.strip(), columns)
    values = [value for part in _COMMA.split(rest) if (value := part.replace("\\,", ",").strip())]
    if not colon or not values:
        raise ConditionError(f"a condition needs a colon and a value, such as {_example(column)}")
    if len(values) > MOST_VALUES or max(map(len, values)) > LONGEST_VALUE:
        raise ConditionError(f"a condition has at most {MOST_VALUES} values of at most {LONGEST_VALUE} characters")
    negated = text.lstrip().startswith("-")
    if column.numeric:
        return Condition(column.name, negated, ranges=tuple(_range(value, column, columns) for value in values))
    if any(_is_range(value) for value in values):
        raise ConditionError(f"{column.name} holds texts, which have no ranges; {_listed(columns)}")
    return Condition(column.name, negated, texts=tuple(dict.fromkeys(map(fold, values))))


def _range(text: str, column: ColumnSummary, columns: Sequence[ColumnSummary]) -> tuple[float, float]:
    first, dots, last = text.partition("..")
    try:
        least = number(first) if first or not dots else -math.inf
        most = number(last) if last else math.inf if dots else least
    except ValueError as error:
        raise ConditionError(
            f"{column.name} holds numbers: give one, or a range such as 10..50, 10.. or ..50; {_listed(columns)}"
        ) from error
    return least, most


def _is_range(text: str) -> bool:
    first, dots, last = text.partition("..")
    try:
        return bool(dots) and bool([number(end) for end in (first, last) if end])
    except ValueError:
        return False


def number(text: str) -> float:
    """Read a decimal number.

    Raises:
        ValueError: it is none that people write: `nan`, `1_0` and digits of other scripts are not taken.
    """
    value = float(text) if text.isascii() and "_" not in text else math.nan
    if not math.isfinite(value):
        raise ValueError("not a decimal number")
    return value


def _example(column: ColumnSummary) -> str:
    return f"{column.name}:10..50" if column.numeric else f"{column.name}:{(column.values or ('red',))[0]}"


def _listed(columns: Sequence[ColumnSummary]) -> str:
    if not columns:
        return "this index knows no products, so it has none"
    return f"the columns are {', '.join(f'{each.name} ({each.type})' for each in columns)}"

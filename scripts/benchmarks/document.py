"""The tables of docs/performance.md, made from the results in docs/performance.json."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from scripts.benchmarks.results import Figure, Result, short, spread
from scripts.benchmarks.summary import measured

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PAIR = ": "
"""Between row and column in the name of a figure."""


def with_tables(text: str, results: Mapping[str, Result]) -> str:
    """Return a document with what stands between `<!-- table: NAME -->` and `<!-- end -->` made anew.

    NAME is that of a measurement, or `targets`, or `circumstances`.

    Raises:
        KeyError: there are no results of a measurement.
    """

    def made(found: re.Match[str]) -> str:
        name = found[2]
        lines = _OF_ALL[name](results) if name in _OF_ALL else _figures(results[name].figures)
        return "\n".join([found[1], *lines, "", found[3]])

    return _TABLE.sub(made, text)


def _targets(results: Mapping[str, Result]) -> list[str]:
    rows = [
        [
            target.name,
            *map(measured, (target.ours, target.floor, target.peer)),
            f"{'at most' if target.at_most else 'at least'} {target.limit:,g}",
            _with_spread(target.figure) + ("" if target.met else " (missed)"),
        ]
        for result in results.values()
        for target in result.targets
    ]
    return _table(["target", "ours", "floor", "peer", "limit", "measured"], rows)


def _circumstances(results: Mapping[str, Result]) -> list[str]:
    """List the dates, machines and models, and what was measured with each."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, result in results.items():
        groups.setdefault(tuple(result.circumstances.values()), []).append(name)
    heads = list(next(iter(results.values())).circumstances)
    return _table(["measured", *heads], [[", ".join(names), *values] for values, names in groups.items()])


def _figures(figures: Sequence[Figure]) -> list[str]:
    """Make a row of each figure; or, where all names have the form "row: column", a table of rows and columns."""
    if not all(_PAIR in figure.name for figure in figures):
        rows = [[figure.name.strip(), figure.unit, _with_spread(figure)] for figure in figures]
        return _table(["", "unit", "median (middle half)"], rows)
    columns = list(dict.fromkeys(_column(figure) for figure in figures))
    rows = []
    for row, group in groupby(figures, key=lambda figure: figure.name.partition(_PAIR)[0]):
        cells = {_column(figure): _with_spread(figure) for figure in group}
        rows.append([row, *(cells.get(column, "") for column in columns)])
    return _table(["", *columns], rows)


def _column(figure: Figure) -> str:
    name = figure.name.partition(_PAIR)[2]
    return f"{name}, {figure.unit}" if figure.unit else name


def _with_spread(figure: Figure) -> str:
    between = spread(figure)
    return f"{short(figure.median)} ({between})" if between else short(figure.median)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    used = [number for number in range(len(head)) if any(row[number] for row in rows)]
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line[number] for number in used) + " |" for line in lines]


_OF_ALL = {"targets": _targets, "circumstances": _circumstances}
"""The tables that are made of all results."""

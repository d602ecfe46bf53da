"""All targets of a run in one table, beside those of the last release."""

import json
from collections.abc import Mapping
from pathlib import Path

from scripts.benchmarks.busy import is_busy
from scripts.benchmarks.results import Figure, Result, Target, short, spread

RELEASED = Path(__file__).resolve().parents[2] / "docs" / "performance.json"
"""The results behind the tables of docs/performance.md."""

_HEAD = ("", "ours", "floor", "peer", "figure", "middle half", "limit", "", "last release", "")


def read_results(file: Path) -> dict[str, Result]:
    """Read what `write_results` wrote: results by measurement."""
    return {name: Result.from_dict(each) for name, each in json.loads(file.read_text(encoding="utf-8")).items()}


def write_results(file: Path, results: Mapping[str, Result]) -> None:
    """Write results as JSON."""
    content = {name: each.to_dict() for name, each in results.items()}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(results: Mapping[str, Result], last: Mapping[str, Result]) -> str:
    """Format every target: ours, the floor and the peer that it compares, the limit, and the last release's figure.

    A figure that moved beyond its spread is marked, and so is a measurement on a busy machine.
    """
    rows = [list(_HEAD)]
    busy = []
    for name, result in results.items():
        before = {target.name: target for target in last[name].targets} if name in last else {}
        rows += [_row(target, before.get(target.name)) for target in result.targets]
        if is_busy(result.others):
            busy.append(f"{name} ({result.others:.0%})")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    missed = [target.name for result in results.values() for target in result.targets if not target.met]
    lines.append(f"missed: {', '.join(missed)}" if missed else "all targets met")
    if busy:
        lines.append(f"BUSY, not to be quoted: other programs took processor time during {', '.join(busy)}")
    return "\n".join(lines)


def _row(target: Target, before: Target | None) -> list[str]:
    compared = [measured(each) for each in (target.ours, target.floor, target.peer)]
    limit = f"{'<=' if target.at_most else '>='} {target.limit:,g}"
    verdict = "met" if target.met else "MISSED"
    last = ["new", ""] if before is None else [short(before.figure.median), target.moved(before)]
    return [target.name, *compared, short(target.figure.median), spread(target.figure), limit, verdict, *last]


def measured(figure: Figure | None) -> str:
    """Format a figure with its unit; "" for none."""
    return "" if figure is None else f"{short(figure.median)} {figure.unit}".rstrip()

"""The figures and targets of a measurement, as a table and as JSON."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A quantity measured several times: the median, and the range of the middle half."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    repeats: int


@dataclass(frozen=True)
class Target:
    """A limit on a figure, and the value it was checked with."""

    name: str
    value: float
    limit: float
    at_most: bool
    """Whether the limit is an upper one; otherwise it is a lower one."""

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


@dataclass
class Result:
    """Everything that one measurement found."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def add(self, name: str, unit: str, values: Iterable[float]) -> float:
        """Record repeats of a quantity; return their median."""
        repeats = list(values)
        low, _, high = statistics.quantiles(repeats, n=4) if len(repeats) > 1 else repeats * 3
        median = statistics.median(repeats)
        self.figures.append(Figure(name, unit, median, max(low, min(repeats)), min(high, max(repeats)), len(repeats)))
        return median

    def at_most(self, name: str, value: float, limit: float) -> None:
        """Record a target that a smaller value meets."""
        self.targets.append(Target(name, value, limit, at_most=True))

    def at_least(self, name: str, value: float, limit: float) -> None:
        """Record a target that a larger value meets."""
        self.targets.append(Target(name, value, limit, at_most=False))

    def to_dict(self) -> dict[str, Any]:
        """Return everything in the form of JSON."""
        targets = [{**asdict(each), "met": each.met} for each in self.targets]
        return {
            "title": self.title,
            "figures": list(map(asdict, self.figures)),
            "targets": targets,
            "notes": self.notes,
        }


def paired(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide what was measured side by side, pair by pair: a busy moment slows both values of a pair."""
    return [value / other for value, other in zip(values, others, strict=True)]


def table(result: Result) -> str:
    """Format a result for a terminal."""
    lines = [result.title]
    for each in result.figures:
        spread = f"{_short(each.low)} - {_short(each.high)}" if each.repeats > 1 else ""
        lines.append(f"  {each.name:<58} {_short(each.median):>10} {each.unit:<9} {spread}".rstrip())
    for target in result.targets:
        sign = "<=" if target.at_most else ">="
        verdict = "met" if target.met else "MISSED"
        lines.append(f"  {target.name:<58} {_short(target.value):>10} {sign} {_short(target.limit):<6} {verdict}")
    return "\n".join(lines + [f"  ({note})" for note in result.notes])


def _short(value: float) -> str:
    """Format with three digits: a busy machine measures no more."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3 if abs(value) < 2 else 2
    return f"{value:,.{digits}f}"

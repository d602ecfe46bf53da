"""The figures and targets of a measurement, as a table and as JSON."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self


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
    """A limit on a figure, and what the figure compares."""

    name: str
    figure: Figure
    limit: float
    at_most: bool
    """Whether the limit is an upper one; otherwise it is a lower one."""
    ours: Figure | None
    """This project's part of a ratio."""
    floor: Figure | None
    """The same by bare library calls."""
    peer: Figure | None
    """The same by other software."""

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.figure.median <= self.limit if self.at_most else self.figure.median >= self.limit

    def moved(self, before: Self) -> str:
        """Say whether the figure is "better" or "worse" than before; "" where the middle halves overlap."""
        now, then = self.figure, before.figure
        if now.low <= then.high and then.low <= now.high:
            return ""
        return "better" if (now.median < then.median) == self.at_most else "worse"


@dataclass
class Result:
    """Everything that one measurement found."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""
    circumstances: dict[str, str] = field(default_factory=dict)
    """The date, the machine and the model."""
    others: float | None = None
    """The share of the processors that other programs took meanwhile, 0-1; None where the system does not tell."""

    def add(self, name: str, unit: str, values: Iterable[float]) -> Figure:
        """Record repeats of a quantity."""
        repeats = [float(f"{value:.4g}") for value in values]  # a machine measures no more, and a file stays small
        low, _, high = statistics.quantiles(repeats, n=4) if len(repeats) > 1 else repeats * 3
        median = statistics.median(repeats)
        figure = Figure(name, unit, median, max(low, min(repeats)), min(high, max(repeats)), len(repeats))
        self.figures.append(figure)
        return figure

    def at_most(self, name: str, figure: Figure | float, limit: float, **compared: Figure) -> None:
        """Record a target that a smaller figure meets; `compared` are `ours`, `floor` and `peer`."""
        self._aim(name, figure, limit, compared, at_most=True)

    def at_least(self, name: str, figure: Figure | float, limit: float, **compared: Figure) -> None:
        """Record a target that a larger figure meets; see `at_most`."""
        self._aim(name, figure, limit, compared, at_most=False)

    def _aim(
        self, name: str, figure: Figure | float, limit: float, compared: Mapping[str, Figure], *, at_most: bool
    ) -> None:
        if not isinstance(figure, Figure):
            figure = Figure(name, "", figure, figure, figure, 1)
        parts = [compared.get(part) for part in ("ours", "floor", "peer")]
        self.targets.append(Target(name, figure, limit, at_most, *parts))

    def to_dict(self) -> dict[str, Any]:
        """Return everything in the form of JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return what `to_dict` wrote."""
        figures = [Figure(**each) for each in content["figures"]]
        parts = ("figure", "ours", "floor", "peer")
        targets = [
            Target(**{**each, **{part: each[part] and Figure(**each[part]) for part in parts}})
            for each in content["targets"]
        ]
        return cls(**{**content, "figures": figures, "targets": targets})


def paired(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide what was measured side by side, pair by pair: a busy moment slows both values of a pair."""
    return [value / other for value, other in zip(values, others, strict=True)]


def listing(result: Result) -> str:
    """List a result's figures for a terminal."""
    figures = [
        f"  {each.name:<58} {short(each.median):>10} {each.unit:<9} {spread(each)}".rstrip() for each in result.figures
    ]
    return "\n".join([result.title, *figures, *(f"  ({note})" for note in result.notes)])


def spread(figure: Figure) -> str:
    """Return the range of the middle half; "" for what was measured once."""
    return f"{short(figure.low)} to {short(figure.high)}" if figure.repeats > 1 else ""


def short(value: float) -> str:
    """Format with three digits: a busy machine measures no more."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3 if abs(value) < 2 else 2
    return f"{value:,.{digits}f}"

"""Plot how times and memory grow with the gallery."""

from pathlib import Path

from scripts.benchmarks.measurements.growth import COLD, FAR, MOST, RESIDENT, WARM
from scripts.benchmarks.results import Figure as Repeats
from scripts.benchmarks.results import Result

_INK, _GRID = "#333333", "#dddddd"


def draw_growth(growth: Result, file: Path) -> None:
    """Write a PNG with times on the left and memory on the right; all axes are logarithmic."""
    # Imported here because it takes half a second.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    panels = (
        (left, "milliseconds", {FAR: "#c0392b", COLD: "#e59866", WARM: "#2471a3"}),
        (right, "megabytes", {MOST: "#7d3c98", RESIDENT: "#bb8fce"}),
    )
    for axes, unit, lines in panels:
        for name, colour in lines.items():
            points = _points(growth, name)
            axes.plot([rows for rows, _ in points], [each.median for _, each in points], "o-", color=colour, label=name)
            axes.fill_between(
                [rows for rows, _ in points],
                [each.low for _, each in points],
                [each.high for _, each in points],
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
        axes.set(xscale="log", yscale="log", xlabel="images in the gallery", ylabel=unit)
        axes.grid(color=_GRID)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=_INK)
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=110)


def _points(growth: Result, name: str) -> list[tuple[int, Repeats]]:
    """Return the figures of one curve, each with its number of rows."""
    found = []
    for each in growth.figures:
        rows, _, quantity = each.name.partition(" rows: ")
        if quantity == name:
            found.append((int(rows.replace(",", "")), each))
    return found

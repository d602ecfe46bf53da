"""A run's log: one row each time the figures were taken, as CSV and as curves."""

import csv
from pathlib import Path

from matplotlib.figure import Figure

from embeddings.training.checkpoints import replacing

Row = dict[str, float]

_FILE = "log.csv"


def read_log(folder: Path) -> list[Row]:
    """The rows so far; none if the run is new."""
    path = folder / _FILE
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def write_log(folder: Path, rows: list[Row]) -> None:
    """Write all rows; every row has the same columns."""
    with replacing(folder / _FILE) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def draw_curves(rows: list[Row], path: Path) -> None:
    """Losses (columns `loss ...`) and figures over steps, as a PNG."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for number, (title, wanted) in enumerate((("losses", True), ("validation figures", False)), start=1):
        axes = figure.add_subplot(1, 2, number, title=title, xlabel="step")
        for name in rows[0]:
            if name != "step" and name.startswith("loss ") == wanted:
                axes.plot([row["step"] for row in rows], [row[name] for row in rows], label=name, marker=".")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)

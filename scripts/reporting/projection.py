"""Project a gallery onto a plane where similar images lie near one another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.reporting.index_contents import Vectors

COLUMNS, ROWS = 24, 16


@dataclass(frozen=True)
class Cell:
    """One cell of the map's grid."""

    row: int
    """The row of the image shown for it, the one nearest to the mean of its images."""
    count: int
    """How many images lie in it."""


@dataclass(frozen=True)
class Plane:
    """The vectors on their first two principal components."""

    points: Vectors
    """(n, 2), not centred."""
    variance: float
    """The share (0-1) of the variance that the two components hold."""


def on_plane(vectors: Vectors) -> Plane:
    """Project vectors (n, dimension), at least one."""
    mean = vectors.mean(axis=0)
    covariance = vectors.T @ vectors / np.float32(len(vectors)) - np.outer(mean, mean)
    variances, directions = np.linalg.eigh(covariance.astype(np.float64))  # ascending
    plane = directions[:, :-3:-1]
    # The sign of an eigenvector is arbitrary; fix it, or one run would mirror the map of another.
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), np.arange(plane.shape[1])])
    total = max(float(variances.sum()), np.finfo(np.float64).tiny)
    return Plane(vectors @ plane.astype(np.float32), float(variances[-2:].sum()) / total)


def on_grid(vectors: Vectors, plane: Plane) -> list[list[Cell]]:
    """Cut the map into rows of cells with about equally many images each, top row first.

    The first component divides the gallery into columns, the second divides each column into cells.
    """
    columns = min(COLUMNS, max(int((len(vectors) * COLUMNS / ROWS) ** 0.5), 1))
    rows = min(ROWS, len(vectors) // columns)
    points = plane.points
    grid = []
    for column in np.array_split(np.argsort(points[:, 0], kind="stable"), columns):
        downwards = column[np.argsort(-points[column, 1], kind="stable")]
        grid.append([_cell(vectors, part) for part in np.array_split(downwards, rows)])
    return [list(row) for row in zip(*grid, strict=True)]


def _cell(vectors: Vectors, rows: NDArray[np.int64]) -> Cell:
    inside = vectors[rows]
    return Cell(int(rows[(inside @ inside.mean(axis=0)).argmax()]), len(rows))

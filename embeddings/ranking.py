"""Rank the rows of a matrix by their scores, and leave out those that repeat a better one."""

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

DECIMALS = 6
"""Decimals of a score."""
_BLOCK = 256
"""Rows that are compared at once."""

T = TypeVar("T")
Ranked = list[tuple[int, float]]
"""Rows and their rounded scores, best first."""
Rows = range | NDArray[np.intp]
"""Rows of a matrix, ascending."""


def best(rows: Rows, scores: NDArray[np.float32], count: int, min_score: float | None) -> Ranked:
    """Return the `count` best; equal rounded scores go by row, at the cut too.

    Args:
        rows: the rows that `scores` belong to.
        scores: minus infinity for a row to leave out.
        count: how many to return.
        min_score: leave out rows with a lower rounded score.
    """
    if count < len(scores):
        cut = np.partition(scores, len(scores) - count)[len(scores) - count]
        # Every score that may round to the same value as the last one.
        candidates = np.flatnonzero(scores >= cut - 2 * 10.0**-DECIMALS)
    else:
        candidates = np.arange(len(scores))
    rounded = np.round(scores[candidates].astype(np.float64), DECIMALS)
    order = np.lexsort((candidates, -rounded))[:count]
    least = -np.inf if min_score is None else min_score
    return [
        (int(rows[place]), score)
        for place, score in zip(candidates[order].tolist(), rounded[order].tolist(), strict=True)
        if score != -np.inf and score >= least
    ]


def rows_at(rows: Rows, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows at these places."""
    return places + rows.start if isinstance(rows, range) else rows[places]


def matching(scores: NDArray[np.float32], min_score: float | None) -> NDArray[np.intp]:
    """Return the places of all rows that `best` may return."""
    if min_score is None:
        return np.flatnonzero(scores > -np.inf)
    return np.flatnonzero(scores.astype(np.float64).round(DECIMALS) >= min_score)


def best_distinct(
    rows: Rows,
    scores: NDArray[np.float32],
    count: int,
    min_score: float | None,
    *,
    vectors: NDArray[np.float32],
    dedupe: float | None,
    groups: NDArray[np.int32] | None,
) -> Ranked:
    """Return the `count` best that repeat no better one; rank only as far as that takes. See also `best`.

    Args:
        vectors: of all rows.
        dedupe: leave out rows whose cosine to a better one that stays is this or higher.
        groups: of all rows. Of each group only the best row may stay; -1 is no group.
    """
    kept: Ranked = []
    kept_vectors = np.empty((0, vectors.shape[1]), dtype=np.float32)
    seen: set[Hashable] = set()
    done, reach = 0, max(2 * count, _BLOCK)
    while True:
        ranked = best(rows, scores, reach, min_score)
        for block in _blocks(ranked[done:]):
            if groups is not None:
                of_block = groups[[row for row, _ in block]].tolist()
                block = first_of_groups(block, (None if group < 0 else group for group in of_block), seen)
            if dedupe is not None:
                found = vectors[[row for row, _ in block]]
                new = greedy(found, kept_vectors, dedupe)[: count - len(kept)]
                kept_vectors = np.concatenate([kept_vectors, found[new]])
                block = [block[position] for position in new]
            kept += block[: count - len(kept)]
            if len(kept) == count:
                return kept
        if len(ranked) < reach:
            return kept
        done, reach = len(ranked), 4 * reach


def first_of_groups(ranked: Iterable[T], groups: Iterable[Hashable], seen: set[Hashable]) -> list[T]:
    """Return those whose group is not `seen` yet, and add it there; None is no group."""
    first = []
    for each, group in zip(ranked, groups, strict=True):
        if group is None or group not in seen:
            first.append(each)
            seen.add(group)
    return first


def _blocks(ranked: Ranked) -> Iterator[Ranked]:
    for start in range(0, len(ranked), _BLOCK):
        yield ranked[start : start + _BLOCK]


def greedy(vectors: NDArray[np.float32], kept: NDArray[np.float32], limit: float) -> list[int]:
    """For `dedupe`: take vectors in order, but none whose cosine to one of `kept`, or taken before it, reaches `limit`.

    Cosines are rounded like scores, so that a copy has a cosine of 1 and not of 0.9999999.

    Returns:
        Positions in `vectors` of those taken.
    """
    free = np.ones(len(vectors), dtype=bool)
    if len(kept):
        free = np.round((vectors @ kept.T).max(axis=1), DECIMALS) < limit
    taken = []
    for position in np.flatnonzero(free).tolist():
        if free[position]:
            taken.append(position)
            free &= np.round(vectors @ vectors[position], DECIMALS) < limit
    return taken


def mean_direction(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the unit vector of the sum of unit vectors (n, dimension); the first one if they cancel out."""
    total = vectors.sum(axis=0)
    length = np.sqrt(np.vecdot(total, total))
    return total / length if length > 1e-6 else vectors[0]  # type: ignore[no-any-return]

"""Rank the rows of a matrix by their scores, and leave out those that repeat a better one."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

DECIMALS = 6
"""Decimals of a score."""
_UNIT = 10.0**-DECIMALS
_BLOCK = 256
"""Rows that are compared at once."""
_COLUMNS = 64
"""Columns for each row that is wanted: enough that hardly any two of the best share one."""

T = TypeVar("T")
Ranked = list[tuple[int, float]]
"""Rows and their rounded scores, best first."""
Rows = range | NDArray[np.intp]
"""Rows of a matrix, ascending."""


@dataclass(frozen=True)
class Scores:
    """The scores of some rows: each up to a known error, and any of them exactly on request.

    What is ranked or compared is always exact. The estimates only rule out rows that cannot matter.
    """

    rows: Rows
    estimates: NDArray[np.float32]
    """Of each row; minus infinity for a row to leave out."""
    errors: NDArray[np.float32]
    """By how much each estimate may be off at most."""
    exact: Callable[[NDArray[np.intp]], NDArray[np.float32]]
    """Returns the scores of rows of the matrix."""

    def at(self, places: NDArray[np.intp]) -> "Scores":
        """Return those at some places of `rows`, in ascending order."""
        return Scores(rows_at(self.rows, places), self.estimates[places], self.errors[places], self.exact)

    def rounded(self, places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the exact scores at some places of `rows`, rounded."""
        exact: NDArray[np.float64] = self.exact(rows_at(self.rows, places)).astype(np.float64)
        return exact.round(DECIMALS)

    def candidates(self, count: int, least: float) -> NDArray[np.intp]:
        """Return the places of all rows that may be among the `count` best and score `least` or more."""
        if count < len(self.estimates):
            floor = _floor(self.estimates, count)
            if floor > -np.inf:
                # So many rows score at least this, whatever the others score.
                reached = self.rounded(np.flatnonzero(self.estimates >= floor))
                least = max(least, np.partition(reached, -count)[-count])
        return np.flatnonzero(self.estimates + self.errors >= least - _UNIT)


def _floor(scores: NDArray[np.float32], count: int) -> np.float32:
    """Return a number that at least `count` scores reach, and few more.

    It is the last of the best in columns of scores. Of a million, `np.partition` needs as long as the scan.
    """
    height = max(1, len(scores) // (_COLUMNS * count))
    peaks = scores[: len(scores) // height * height].reshape(height, -1).max(axis=0)
    return np.partition(peaks, -count)[-count]  # type: ignore[no-any-return]


def best(scores: Scores, count: int, min_score: float | None) -> Ranked:
    """Return the `count` best; equal rounded scores go by row, at the cut too.

    Args:
        scores: of the rows to choose from.
        count: how many to return, at least 1.
        min_score: leave out rows with a lower rounded score.
    """
    least = float(np.finfo(np.float32).min) if min_score is None else min_score
    places = scores.candidates(count, least)
    rounded = scores.rounded(places)
    order = np.lexsort((places, -rounded))[:count]
    ranked = zip(rows_at(scores.rows, places[order]).tolist(), rounded[order].tolist(), strict=True)
    return [(row, score) for row, score in ranked if score >= least]


def rows_at(rows: Rows, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows at these places."""
    return places + rows.start if isinstance(rows, range) else rows[places]


def matching(scores: Scores, min_score: float | None) -> NDArray[np.intp]:
    """Return the places of all rows that `best` may return."""
    if min_score is None:
        return np.flatnonzero(scores.estimates > -np.inf)
    matches = scores.estimates - scores.errors >= min_score + _UNIT
    unsure = np.flatnonzero(~matches & (scores.estimates + scores.errors >= min_score - _UNIT))
    matches[unsure] = scores.rounded(unsure) >= min_score
    return np.flatnonzero(matches)


def best_distinct(
    scores: Scores,
    count: int,
    min_score: float | None,
    *,
    vectors: Callable[[NDArray[np.intp]], NDArray[np.float32]],
    dedupe: float | None,
    groups: NDArray[np.int32] | None,
) -> Ranked:
    """Return the `count` best that repeat no better one; rank only as far as that takes. See also `best`.

    Args:
        vectors: returns the unit vectors of rows of the matrix.
        dedupe: leave out rows whose cosine to a better one that stays is this or higher.
        groups: of all rows. Of each group only the best row may stay; -1 is no group.
    """
    kept: Ranked = []
    kept_vectors = vectors(np.empty(0, np.intp))
    seen: set[Hashable] = set()
    done, reach = 0, max(2 * count, _BLOCK)
    while True:
        ranked = best(scores, reach, min_score)
        for block in _blocks(ranked[done:]):
            if groups is not None:
                of_block = groups[[row for row, _ in block]].tolist()
                block = first_of_groups(block, (None if group < 0 else group for group in of_block), seen)
            if dedupe is not None:
                found = vectors(np.array([row for row, _ in block], np.intp))
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

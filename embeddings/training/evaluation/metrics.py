"""Precision, recall and nearness of colour, from row numbers and labels alone; means and intervals."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Words = NDArray[np.str_]

K = 16

_AT_ONCE = 1000  # queries; with a gallery of 12,000 photos they take 100 MB


@dataclass(frozen=True)
class Scores:
    """One value a query, the group it is averaged in, and the unit it belongs to."""

    values: Floats
    groups: Words
    """The mean is taken within each group, then over groups."""
    units: Words
    """The bootstrap draws units (senders or items), because queries of one unit are not independent."""

    def mean(self) -> float:
        """Return the mean over groups of each group's mean."""
        return float(np.mean([self.values[self.groups == group].mean() for group in np.unique(self.groups)]))

    def by_group(self) -> dict[str, float]:
        """Return the mean of each group."""
        return {str(group): float(self.values[self.groups == group].mean()) for group in np.unique(self.groups)}

    def interval(self, rounds: int = 1000, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % percentile interval of the mean, by bootstrap over units (Efron 1979)."""
        rng = np.random.default_rng(seed)
        units, unit = np.unique(self.units, return_inverse=True)
        groups, group = np.unique(self.groups, return_inverse=True)
        means = np.empty(rounds)
        for index in range(rounds):
            weight = np.bincount(rng.integers(len(units), size=len(units)), minlength=len(units))[unit].astype(float)
            total = np.bincount(group, weight, len(groups))
            hits = np.bincount(group, weight * self.values, len(groups))
            means[index] = (hits[total > 0] / total[total > 0]).mean()
        low, high = np.percentile(means, [2.5, 97.5])
        return float(low), float(high)


def neighbours(queries: Vectors, gallery: Vectors, k: int = K, without_self: bool = False) -> Rows:
    """Return the rows of the gallery by falling cosine: (n, k), or fewer columns if the gallery is smaller.

    With `without_self`, query i is gallery row i and is left out of its own results.
    """
    found = np.empty((len(queries), min(k, len(gallery) - without_self)), np.intp)
    for start in range(0, len(queries), _AT_ONCE):
        similarity = queries[start : start + _AT_ONCE] @ gallery.T
        if without_self:
            np.fill_diagonal(similarity[:, start:], -np.inf)
        order = np.argsort(-similarity, axis=1, kind="stable")
        found[start : start + _AT_ONCE] = order[:, : found.shape[1]]
    return found


def overlap(one: Rows, other: Rows) -> float:
    """Return the mean share of rows that two answers (n, k) have in common."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in zip(one, other, strict=True)]))


def relevant(wanted: Words, gallery: Words, without_self: bool = False) -> NDArray[np.intp]:
    """Count the gallery photos that have each query's label (n,); 0 for a query without a label ("")."""
    counts = Counter(gallery.tolist())
    return np.array([counts[label] - without_self if label else 0 for label in wanted.tolist()], np.intp)


def precision(wanted: Words, found: Rows, gallery: Words, without_self: bool = False) -> Floats:
    """Return hits / min(k, relevant) of each query (n,); `found` holds rows (n, k) of the gallery.

    The value is NaN if nothing in the gallery is relevant to the query.
    """
    possible = np.minimum(found.shape[1], relevant(wanted, gallery, without_self))
    with np.errstate(invalid="ignore", divide="ignore"):
        values: Floats = np.where(possible > 0, hits(wanted, found, gallery).sum(axis=1) / possible, np.nan)
    return values


def recall(wanted: Words, found: Rows, gallery: Words, k: int, without_self: bool = False) -> Floats:
    """Return 1 for each query with a hit among the first k, else 0 (n,); NaN if nothing in the gallery is relevant.

    If the labels name items, this is recall@k, which the DeepFashion benchmarks call top-k accuracy.
    """
    values = hits(wanted, found[:, :k], gallery).any(axis=1).astype(float)
    values[relevant(wanted, gallery, without_self) <= 0] = np.nan
    return values


def hits(wanted: Words, found: Rows, gallery: Words) -> NDArray[np.bool_]:
    """Return which results (n, k) have the wanted label."""
    right: NDArray[np.bool_] = gallery[found] == wanted[:, None]
    return right


def nearness(wanted: Words, query_labs: Floats, found: Rows, gallery: Words, gallery_labs: Floats) -> Floats:
    """Return how near each query's k results come to its colour (n,): 1 for the nearest k of its category, 0 for
    chance.

    With d the mean Lab distance (CIE 1976) to the query: (d_chance - d_found) / (d_chance - d_best). The value is NaN
    if the category has fewer than 3 k photos: chance is then nearly as good as the best, and the ratio says nothing.
    """
    k = found.shape[1]
    values = np.full(len(found), np.nan)
    for index, label in enumerate(wanted):
        distance = np.linalg.norm(gallery_labs - query_labs[index], axis=1)
        own = np.sort(distance[gallery == label])
        if label and len(own) >= 3 * k:
            values[index] = (own.mean() - distance[found[index]].mean()) / (own.mean() - own[:k].mean())
    return values

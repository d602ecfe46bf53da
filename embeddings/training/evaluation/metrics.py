"""What answers are worth, on row numbers and labels alone: precision, recall, nearness of colour; means, intervals."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Words = NDArray[np.str_]

K = 16

_AT_ONCE = 1000  # queries: 12,000 photos to be sorted for each take 100 MB


@dataclass(frozen=True)
class Scores:
    """One value a query: what it is averaged by, and which unit it shares its luck with."""

    values: Floats
    groups: Words
    """The mean is taken within each group, then over groups."""
    units: Words
    """The bootstrap draws units (senders, items), since queries of one unit are not independent."""

    def mean(self) -> float:
        """Mean over groups of the means over queries."""
        return float(np.mean([self.values[self.groups == group].mean() for group in np.unique(self.groups)]))

    def by_group(self) -> dict[str, float]:
        """The mean of each group."""
        return {str(group): float(self.values[self.groups == group].mean()) for group in np.unique(self.groups)}

    def interval(self, rounds: int = 1000, seed: int = 0) -> tuple[float, float]:
        """95 % percentile interval of the mean by bootstrap over units (Efron 1979)."""
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
    """Row numbers of the gallery by falling cosine: (n, k), fewer columns where the gallery is smaller.

    without_self: query i is gallery row i, and left out.
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
    """Mean share of row numbers that two answers (n, k) have in common."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in zip(one, other, strict=True)]))


def relevant(wanted: Words, gallery: Words, without_self: bool = False) -> NDArray[np.intp]:
    """How many of the gallery's labels each query wants (n,); none where it has no label itself ("")."""
    counts = Counter(gallery.tolist())
    return np.array([counts[label] - without_self if label else 0 for label in wanted.tolist()], np.intp)


def precision(wanted: Words, found: Rows, gallery: Words, without_self: bool = False) -> Floats:
    """Hits / min(k, relevant) of each query (n,); `found` are row numbers (n, k) into the gallery's labels.

    A query that nothing in the gallery is relevant to gets NaN.
    """
    possible = np.minimum(found.shape[1], relevant(wanted, gallery, without_self))
    with np.errstate(invalid="ignore", divide="ignore"):
        values: Floats = np.where(possible > 0, hits(wanted, found, gallery).sum(axis=1) / possible, np.nan)
    return values


def recall(wanted: Words, found: Rows, gallery: Words, k: int, without_self: bool = False) -> Floats:
    """1 for each query that has a hit among the first k, else 0 (n,); NaN where nothing in the gallery is relevant.

    With labels that name the item, this is what the DeepFashion benchmarks call top-k accuracy, and recall@k.
    """
    values = hits(wanted, found[:, :k], gallery).any(axis=1).astype(float)
    values[relevant(wanted, gallery, without_self) <= 0] = np.nan
    return values


def hits(wanted: Words, found: Rows, gallery: Words) -> NDArray[np.bool_]:
    """Which of the results (n, k) have the label that is wanted."""
    right: NDArray[np.bool_] = gallery[found] == wanted[:, None]
    return right


def nearness(wanted: Words, query_labs: Floats, found: Rows, gallery: Words, gallery_labs: Floats) -> Floats:
    """How near the colours of a query's k results come to its own (n,): 0 = chance in its category, 1 = the best k.

    With d the mean Lab distance (CIE 1976) to the query: (d_chance - d_found) / (d_chance - d_best). NaN in a category
    of fewer than 3 k photos, in which chance is nearly the best, and the ratio says nothing.
    """
    k = found.shape[1]
    values = np.full(len(found), np.nan)
    for index, label in enumerate(wanted):
        distance = np.linalg.norm(gallery_labs - query_labs[index], axis=1)
        own = np.sort(distance[gallery == label])
        if label and len(own) >= 3 * k:
            values[index] = (own.mean() - distance[found[index]].mean()) / (own.mean() - own[:k].mean())
    return values

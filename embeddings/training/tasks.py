"""The tasks a model is measured by, on vectors alone. Letters as in docs/model-card.md.

A  consumer photo -> shop photos of the same category
C  simulated phone photo of a shop item -> that very item
D  shop photo -> shop photos of the same type and gender; of the same colour
E  consumer photo -> shop photos of the category, as near in colour as those results are
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.training.datasets import Photo
from embeddings.training.labels import SHARED

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]

K = 16


@dataclass(frozen=True)
class Scores:
    """One value a query: what it is averaged by, and which unit it shares its luck with."""

    values: Floats
    groups: NDArray[np.str_]
    """The mean is taken within each group, then over groups."""
    units: NDArray[np.str_]
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


def neighbours(queries: Vectors, gallery: Vectors, k: int = K, without_self: bool = False) -> NDArray[np.intp]:
    """Row numbers of the gallery by falling cosine: (n, k), fewer columns where the gallery is smaller.

    without_self: query i is gallery row i, and left out.
    """
    similarity = queries @ gallery.T
    if without_self:
        np.fill_diagonal(similarity, -np.inf)
    order: NDArray[np.intp] = np.argsort(-similarity, axis=1, kind="stable")
    return order[:, : min(k, len(gallery) - without_self)]


def overlap(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    """Mean share of row numbers that two answers (n, k) have in common."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in zip(one, other, strict=True)]))


def precision(
    wanted: Sequence[str], found: NDArray[np.intp], gallery: Sequence[str], without_self: bool = False
) -> Floats:
    """Hits / min(k, relevant) of each query (n,); `found` are row numbers (n, k) into the gallery's labels.

    A query whose label nothing in the gallery has gets NaN.
    """
    labels = np.array(gallery)
    counts = Counter(gallery)
    relevant = np.array([counts[label] for label in wanted]) - without_self
    hits = (labels[found] == np.array(wanted)[:, None]).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        values: Floats = np.where(relevant > 0, hits / np.minimum(found.shape[1], relevant), np.nan)
    return values


def task_a(consumer: Sequence[Photo], queries: Vectors, shop: Sequence[Photo], gallery: Vectors) -> Scores:
    """Precision@16 of the category across the domains, mean over categories that both have."""
    found = neighbours(queries, gallery)
    values = precision([photo.category for photo in consumer], found, [photo.category for photo in shop])
    asked = np.array([photo.category in SHARED for photo in consumer]) & ~np.isnan(values)
    return _scores(values, [photo.category for photo in consumer], [photo.sender for photo in consumer], asked)


def task_c(items: Sequence[Photo], queries: Vectors, rows: NDArray[np.intp], gallery: Vectors, k: int) -> Scores:
    """Recall@k of the item that a simulated phone photo shows; `rows` are the items' rows in the gallery."""
    found = neighbours(queries, gallery, k)
    values = (found == rows[:, None]).any(axis=1).astype(float)
    return _scores(values, ["all"] * len(items), [photo.file for photo in items], np.ones(len(items), bool))


def task_d(shop: Sequence[Photo], gallery: Vectors, labels: Sequence[str]) -> Scores:
    """Precision@16 within the shop of a label (type and gender, or colour), mean over queries."""
    found = neighbours(gallery, gallery, without_self=True)
    values = precision(labels, found, labels, without_self=True)
    return _scores(values, ["all"] * len(shop), [photo.file for photo in shop], ~np.isnan(values))


def task_e(
    consumer: Sequence[Photo],
    queries: Vectors,
    query_labs: Floats,
    shop: Sequence[Photo],
    gallery: Vectors,
    shop_labs: Floats,
) -> Scores:
    """How near the colours of a query's 16 come to its own: 0 = chance within its category, 1 = the best 16 of it.

    With d the mean Lab distance (CIE 1976) to the query: (d_chance - d_found) / (d_chance - d_best).
    """
    found = neighbours(queries, gallery)
    categories = np.array([photo.category for photo in shop])
    values = np.full(len(consumer), np.nan)
    for index, photo in enumerate(consumer):
        distance = np.linalg.norm(shop_labs - query_labs[index], axis=1)
        own = np.sort(distance[categories == photo.category])
        if len(own) >= 3 * K:  # in a small category chance is nearly the best, and the ratio says nothing
            values[index] = (own.mean() - distance[found[index]].mean()) / (own.mean() - own[:K].mean())
    return _scores(values, ["all"] * len(consumer), [photo.sender for photo in consumer], ~np.isnan(values))


def _scores(values: Floats, groups: Sequence[str], units: Sequence[str], asked: NDArray[np.bool_]) -> Scores:
    return Scores(values[asked], np.array(groups)[asked], np.array(units)[asked])

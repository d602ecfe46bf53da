"""The tasks that measure a model: the queries, the gallery, and which results are right. See docs/model-card.md.

A     consumer photo -> shop photos of the same category
C     simulated phone photo of a shop item -> that item; "several": with smaller garments in the corners
D     shop photo -> shop photos of the same kind; of the same colour
E     the queries of A, measured by how near in colour the results are
item  photo of an item -> its other photos: the protocol of both DeepFashion benchmarks

There is no task B (garments cropped from street photos): no data set that can be read here has street photos.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.evaluation.metrics import (
    Floats,
    K,
    Rows,
    Scores,
    Vectors,
    Words,
    hits,
    nearness,
    neighbours,
    precision,
    recall,
    relevant,
)

ITEM_KS = (1, 5, 10, 20, 50)
"""The k that papers report: all of these for Consumer-to-Shop, all but 5 for In-Shop."""

_DEPTH = max(ITEM_KS)


@dataclass(frozen=True)
class Search:
    """One task on the photos of a pool. Its figure is precision@16, or the recalls that `recalls` names."""

    name: str
    queries: Rows
    gallery: Rows
    wanted: Words
    """The label that each query looks for, or ""."""
    labels: Words
    """The label of each gallery photo."""
    units: Words
    """The unit of each query, see `Scores`."""
    recalls: Mapping[str, int] = field(default_factory=dict)
    by_label: bool = False
    """Whether to average within each label first."""
    without_self: bool = False
    """Whether the queries are the gallery's own photos."""
    labs: tuple[Floats, Floats] | None = None
    """The colours (Lab) of queries and gallery, for task E."""

    def ask(self, vectors: Vectors) -> Rows:
        """Search with the pool's vectors; return rows of the gallery, best first: (queries, 50)."""
        return neighbours(vectors[self.queries], vectors[self.gallery], _DEPTH, self.without_self)

    def relevant(self) -> Rows:
        """Count the right results that the gallery holds for each query."""
        return relevant(self.wanted, self.labels, self.without_self)

    def right(self, found: Rows) -> NDArray[np.bool_]:
        """Return which results are right (queries, 50)."""
        return hits(self.wanted, found, self.labels)

    def scores(self, found: Rows) -> dict[str, Scores]:
        """Score the results; return the scores by the name of the figure."""
        if self.recalls:
            values = {
                name: recall(self.wanted, found, self.labels, k, self.without_self) for name, k in self.recalls.items()
            }
        else:
            values = {self.name: precision(self.wanted, found[:, :K], self.labels, self.without_self)}
        scores = {name: self._scores(each, self.by_label) for name, each in values.items()}
        if self.labs is not None:
            near = nearness(self.wanted, self.labs[0], found[:, :K], self.labels, self.labs[1])
            scores["E"] = self._scores(near, by_label=False)
        return {name: each for name, each in scores.items() if len(each.values)}

    def _scores(self, values: Floats, by_label: bool) -> Scores:
        asked = ~np.isnan(values)
        groups = self.wanted if by_label else np.full(len(values), "all")
        return Scores(values[asked], groups[asked], self.units[asked])


def searches(
    photos: Sequence[LabelledPhoto], own: int, items: Rows, labs: Floats | None = None, several: bool = False
) -> list[Search]:
    """Return every task for which a pool of photos has queries.

    Args:
        photos: the pool: first the photos of the measured part, then shop photos that only make the gallery larger.
        own: how many photos the part has.
        items: rows of the shop photos that the simulated phone photos show. The phone photos' vectors follow those of
            the pool.
        labs: the colour (own, 3) of each photo of the part; without it there is no task E.
        several: whether vectors of phone photos with several garments follow, for the same items.
    """
    domains = _words(photos, lambda photo: photo.domain)
    shop, consumer = np.flatnonzero(domains[:own] == "shop"), np.flatnonzero(domains[:own] == "consumer")
    larger = np.flatnonzero(domains == "shop")
    phone = len(photos) + np.arange(len(items))
    units = _words(photos, lambda photo: photo.unit)
    category, kind = _words(photos, lambda photo: photo.category), _words(photos, lambda photo: photo.kind)
    colour, item = _words(photos, lambda photo: photo.colour), _words(photos, lambda photo: photo.item)
    asking, answering = _roles(photos, own)
    colours = None if labs is None else (labs[consumer], labs[shop])

    def of_item(asked: Rows, gallery: Rows, which: str = "") -> Search:
        recalls = {f"C@1{which}": 1, f"C@16{which}": 16}
        return Search(f"C{which}", asked, gallery, item[items], item[gallery], item[items], recalls)

    found = [
        Search("A", consumer, shop, category[consumer], category[shop], units[consumer], by_label=True, labs=colours),
        of_item(phone, shop),
        *([of_item(phone, larger, " all")] if len(larger) > len(shop) else []),
        *([of_item(phone + len(items), shop, " several")] if several else []),
        Search("D type", shop, shop, kind[shop], kind[shop], item[shop], without_self=True),
        Search("D colour", shop, shop, colour[shop], colour[shop], item[shop], without_self=True),
        Search(
            "item",
            asking,
            answering,
            item[asking],
            item[answering],
            item[asking],
            {f"item@{k}": k for k in ITEM_KS},
            without_self=asking is answering,
        ),
    ]
    return [each for each in found if (each.relevant() > 0).any()]


def _roles(photos: Sequence[LabelledPhoto], own: int) -> tuple[Rows, Rows]:
    """Return queries and gallery of task `item`: the roles of a protocol, or else every photo of the part."""
    asking = np.array([row for row in range(own) if photos[row].role == "query"], np.intp)
    if len(asking):
        return asking, np.array([row for row, photo in enumerate(photos) if photo.role == "gallery"], np.intp)
    everyone = np.arange(own)
    return everyone, everyone


def _words(photos: Sequence[LabelledPhoto], word: Callable[[LabelledPhoto], str]) -> Words:
    return np.array([word(photo) for photo in photos], np.str_)

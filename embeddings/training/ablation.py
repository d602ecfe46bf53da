"""Which of the cheap tricks move a figure: each against plain vectors, query by query.

Averaging, expansion and centroids mix gallery photos into each other. They are not tried on task D, whose queries are
gallery photos themselves: what is mixed there would hold the query.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from embeddings.training.data.photos import Photo
from embeddings.training.evaluation.metrics import Scores, Vectors
from embeddings.training.evaluation.tasks import Search
from embeddings.training.tricks import Whitening, averaged, expanded, smoothed, towards_centroids

NEAREST = 4

Gains = dict[str, dict[str, Scores]]
"""By trick and by figure: what each query gains over plain vectors."""


def ablation(
    searches: Sequence[Search], photos: Sequence[Photo], plain: Vectors, mirror: Vectors, fitting: Vectors
) -> Gains:
    """Try every trick on every search.

    Args:
        searches: of a pool.
        photos: the pool; what labels the gallery has.
        plain: the pool's vectors (n, d).
        mirror: those of the same photos mirrored.
        fitting: vectors (m, d) to fit whitening to, none of which is measured; left out unless there are more than d.
    """
    whitening = Whitening.fit(fitting) if len(fitting) > fitting.shape[1] else None
    gains: Gains = {}
    for search in searches:
        before = search.scores(search.ask(plain))
        for trick, queries, gallery in _tricks(search, photos, plain, mirror, whitening):
            after = search.scores(search.find(queries, gallery))
            gains.setdefault(trick, {}).update({name: after[name].less(before[name]) for name in before})
    return gains


def _tricks(
    search: Search, photos: Sequence[Photo], plain: Vectors, mirror: Vectors, whitening: Whitening | None
) -> Iterator[tuple[str, Vectors, Vectors]]:
    """Each trick's name, and its vectors of the queries and of the gallery."""
    queries, gallery = plain[search.queries], plain[search.gallery]
    both = averaged(plain, mirror)
    yield "flip, gallery", queries, both[search.gallery]
    yield "flip, both sides", both[search.queries], both[search.gallery]
    if whitening is not None:
        yield "whitening", whitening.apply(queries), whitening.apply(gallery)
    if search.without_self:
        return
    yield f"gallery averaged with {NEAREST}", queries, smoothed(gallery, NEAREST)
    yield f"query expanded by {NEAREST}", expanded(queries, gallery, NEAREST), gallery
    categories = np.array([photos[row].category for row in search.gallery], np.str_)
    if len(np.unique(categories)) > 1:
        yield "category centroids", queries, towards_centroids(gallery, categories)
    items = np.array([photos[row].item for row in search.gallery], np.str_)
    if len(np.unique(items)) < len(items):
        yield "item centroids", queries, towards_centroids(gallery, items)


def gains_record(gains: Gains) -> dict[str, Any]:
    """Mean gain and its 95 % interval, by trick and by figure; `moved` where the interval leaves out 0."""
    record: dict[str, Any] = {}
    for trick, by_figure in gains.items():
        for figure, gain in by_figure.items():
            low, high = gain.interval()
            record.setdefault(trick, {})[figure] = {
                "gain": round(gain.mean(), 4),
                "interval": [round(low, 4), round(high, 4)],
                "moved": low > 0 or high < 0,
            }
    return record


def gains_table(record: dict[str, Any]) -> str:
    """A line for each trick and figure; a star where the gain or the loss is past its interval."""
    lines = [f"{'trick':28}{'figure':12}{'gain over plain':>28}"]
    for trick, figures in record.items():
        for figure, gain in figures.items():
            low, high = gain["interval"]
            cell = f"{gain['gain']:+.3f} [{low:+.3f}, {high:+.3f}]"
            lines.append(f"{trick:28}{figure:12}{cell:>28}{' *' if gain['moved'] else ''}")
    return "\n".join(lines)

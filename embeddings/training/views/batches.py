"""Batches, each for one training step: pairs of views of items, small shop photos, and consumer photos.

A batch depends on the seed and the step alone, so that a resumed run sees what the interrupted one would have seen.
Items are drawn by the inverse of their category's size to the power of 3/4, so that neither the many t-shirts nor the
few skirts dominate.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import FULL, Augmentation, Mix
from embeddings.training.data.photos import DatasetError
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.items import LoadedPhoto, Scenery, group
from embeddings.training.views.targets import Targets, head_classes, kinds_categories, photo_targets

_BALANCE = 0.75
_AHEAD = 6
_BLENDED = 0.4  # mostly a little
_MADE_SMALL = 0.2  # of the shop views of large photos
_WORN_BY_PEOPLE = ("t-shirt", "shirt", "sweater", "top", "outerwear", "trousers", "dress", "skirt", "kurta")


@dataclass(frozen=True)
class Batch:
    """The views of one step.

    The rows are a phone view of each item, a shop view of each item in the same order, then single views: first of
    small shop photos, then of consumer photos.
    """

    images: NDArray[np.uint8]
    """(n, side, side, 3)."""
    targets: Targets
    """By head: (n, classes), see `photo_targets`. `teacher` holds a teacher's vectors (n, d)."""
    items: NDArray[np.int32]
    """(n,): the same number for all views of one item."""
    consumer: NDArray[np.float32]
    """(n,): 1 for views of consumer photos, else 0."""


class Batches:
    """Draws batches from the training part."""

    def __init__(
        self,
        pictures: Sequence[LoadedPhoto],
        mix: Mix,
        seed: int,
        augmentation: Augmentation = FULL,
        side: int = INPUT_SIZE,
        teacher: NDArray[np.float32] | None = None,
    ) -> None:
        """Group photos into items and measure their colours.

        Args:
            pictures: photos, labelled or not; consumer photos also serve as backgrounds.
            mix: what a batch holds.
            seed: decides everything that is drawn.
            augmentation: the strength of each change to a view.
            side: the side of the views in px.
            teacher: a teacher's unit vectors (n, d) of the photos, or None.

        Raises:
            DatasetError: there are fewer items or photos than a batch takes.
        """
        large = [picture for picture in pictures if not picture.photo.small]
        small = [picture for picture in pictures if picture.photo.small]
        items = group(large)
        shop = [item for item in items if item.gallery_side[0].photo.domain == "shop"]
        cut = [item for item in items if item.gallery_side[0].photo.domain == "consumer"]
        consumer = [picture for picture in pictures if picture.photo.domain == "consumer"]
        self._drawn = (
            (shop, mix.pairs, _chances([item.category for item in shop])),
            (cut, mix.consumer_pairs if cut else 0, _chances([item.category for item in cut])),
        )
        self._singles = (
            (small, mix.small if small else 0, _chances([each.photo.category for each in small])),
            (consumer, mix.singles if consumer else 0, _chances([each.photo.category for each in consumer])),
        )
        for found, count, _ in (*self._drawn, *self._singles):
            if len(found) < count:
                raise DatasetError(
                    f"{len(found)} items or photos are less than one batch takes ({count}); make batches smaller"
                )
        self.pairs = sum(count for _, count, _ in self._drawn)
        """The number of items in a batch."""
        self._scenery = Scenery(
            Backgrounds([picture.pixels for picture in consumer]),
            [picture.garment for picture in large if picture.garment is not None],
            [each.pixels for each in large if each.photo.domain == "shop" and each.photo.category in _WORN_BY_PEOPLE],
        )
        self._augmentation = augmentation
        self._made_small = _MADE_SMALL * augmentation.small if small and mix.small else 0.0
        self._seed = seed
        self._side = side
        self._number = {name: number for number, name in enumerate(dict.fromkeys(p.photo.item for p in pictures))}
        self.classes = head_classes([picture.photo for picture in pictures])
        """The classes of each head, see `head_classes`."""
        self.kinds_categories = kinds_categories([picture.photo for picture in pictures], self.classes)
        """See `kinds_categories`."""
        self._targets = {
            id(picture): photo_targets(picture.photo, picture.pixels, self.classes) for picture in pictures
        }
        if teacher is not None:
            for picture, vector in zip(pictures, teacher, strict=True):
                self._targets[id(picture)]["teacher"] = vector

    def batch(self, step: int) -> Batch:
        """Return the batch of one step."""
        rng = np.random.default_rng((self._seed, step))
        items = [found[row] for found, count, chances in self._drawn for row in _drawn(rng, count, chances)]
        small, consumer = (
            [found[row] for row in _drawn(rng, count, chances)] for found, count, chances in self._singles
        )
        phone = [item.query_side[rng.integers(len(item.query_side))] for item in items]
        shop = [item.gallery_side[rng.integers(len(item.gallery_side))] for item in items]
        shown = [*phone, *shop, *small, *consumer]
        images = np.empty((len(shown), self._side, self._side, 3), np.uint8)
        for row, picture in enumerate(shown):
            if len(phone) <= row < len(phone) + len(shop):
                images[row] = picture.shop_view(rng, self._made_small, self._side)
            else:
                images[row] = picture.phone_view(self._scenery, rng, self._augmentation, self._side)
        labels = [self._targets[id(picture)] for picture in shown]
        targets = {name: np.stack([each[name] for each in labels]) for name in labels[0]}
        _blend(images, targets, len(shown) - len(consumer), rng, self._augmentation.mixup)
        return Batch(
            images=images,
            targets=targets,
            items=np.array([self._number[picture.photo.item] for picture in shown], np.int32),
            consumer=np.array([picture.photo.domain == "consumer" for picture in shown], np.float32),
        )

    def stream(self, first_step: int, workers: int) -> Generator[Batch, None, None]:
        """Yield batches from `first_step` on, without end; threads prepare them ahead (Pillow releases the lock)."""
        with ThreadPoolExecutor(workers) as pool:
            ahead: list[Future[Batch]] = [pool.submit(self.batch, first_step + step) for step in range(_AHEAD)]
            step = first_step + _AHEAD
            try:
                while True:
                    ready = ahead.pop(0)
                    ahead.append(pool.submit(self.batch, step))
                    step += 1
                    yield ready.result()
            finally:
                for future in ahead:
                    future.cancel()


def _blend(images: NDArray[np.uint8], targets: Targets, first: int, rng: np.random.Generator, strength: float) -> None:
    """Blend every second row from `first` on with the row after it: mixup (Zhang et al. 2018).

    Without it, the model learns the few consumer photos by heart.
    """
    for row in range(first, len(images) - 1, 2):
        share = np.float32(rng.beta(_BLENDED, _BLENDED) * strength)
        images[row] = (1 - share) * images[row] + share * images[row + 1]
        for labels in targets.values():
            labels[row] = (1 - share) * labels[row] + share * labels[row + 1]


def _drawn(rng: np.random.Generator, count: int, chances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Draw different rows; numpy cannot draw even none from an empty list."""
    return rng.choice(len(chances), count, replace=False, p=chances) if count else np.empty(0, np.intp)


def _chances(categories: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each row, given its category."""
    counts = Counter(categories)
    weights = np.array([counts[category] ** -_BALANCE for category in categories])
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances

"""What one training step sees: pairs of views of shop items, and consumer photos.

A batch follows from the seed and the step alone, so that a resumed run sees what the interrupted one would have seen.
Items are drawn by the inverse square root of their category's size: neither t-shirts nor the few skirts take over.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.augmentation import consumer_view, phone_view, shop_view
from embeddings.training.backgrounds import Backgrounds
from embeddings.training.colour import PALETTE, central_lab, palette_shares
from embeddings.training.cutouts import cut_out
from embeddings.training.datasets import Photo, Pixels
from embeddings.training.labels import CATEGORIES

HEADS = ("category", "kind", "colour", "palette")
"""What is classified: the joint category; the shop's word and gender; the shop's colour; the colour as measured."""

_FEWEST = 8  # a class with fewer photos in training is not learned
_AHEAD = 6


@dataclass(frozen=True)
class Batch:
    """Rows: `pairs` phone views, the shop views of the same items in the same order, then the consumer views.

    `images` is uint8 (n, 160, 160, 3); `targets[head]` float32 (n, classes), a row of zeros where there is no label;
    `items` int32 (pairs,).
    """

    images: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]
    items: NDArray[np.int32]


class Batches:
    """Draws batches from the training part."""

    def __init__(
        self,
        shop: Sequence[tuple[Photo, Pixels]],
        consumer: Sequence[tuple[Photo, Pixels]],
        pairs: int,
        singles: int,
        seed: int,
    ) -> None:
        """Cut the garments out and measure their colours.

        Args:
            shop: labelled shop photos.
            consumer: labelled consumer photos; they serve as backgrounds too.
            pairs: shop items a batch, two views each.
            singles: consumer photos a batch, one view each.
            seed: of everything that is drawn.
        """
        self._garments = [cut_out(pixels) for _, pixels in shop]
        self._shop = [pixels for _, pixels in shop]
        self._consumer = [pixels for _, pixels in consumer]
        self._backgrounds = Backgrounds(self._consumer)
        self._pairs, self._singles, self._seed = pairs, singles, seed
        self._shop_chance = _balanced([photo for photo, _ in shop])
        self._consumer_chance = _balanced([photo for photo, _ in consumer])
        self.classes = _classes([photo for photo, _ in shop])
        self._shop_targets = [self._targets(photo, pixels) for photo, pixels in shop]
        self._consumer_targets = [self._targets(photo, pixels) for photo, pixels in consumer]

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        rng = np.random.default_rng((self._seed, step))
        items = rng.choice(len(self._garments), self._pairs, replace=False, p=self._shop_chance)
        singles = rng.choice(len(self._consumer), self._singles, replace=False, p=self._consumer_chance)
        garments = [self._garments[item] for item in items]
        images = np.empty((2 * self._pairs + self._singles, INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        views: list[Callable[[], Pixels]] = [
            *(lambda garment=garment: phone_view(garment, self._backgrounds, rng) for garment in garments),
            *(lambda item=item: shop_view(self._shop[item], rng) for item in items),
            *(lambda single=single: consumer_view(self._consumer[single], rng) for single in singles),
        ]
        for row, view in enumerate(views):
            images[row] = view()
        rows = [self._shop_targets[item] for item in items] * 2 + [self._consumer_targets[index] for index in singles]
        targets = {head: np.stack([row[head] for row in rows]) for head in HEADS}
        return Batch(images, targets, items.astype(np.int32))

    def stream(self, first_step: int, workers: int) -> Generator[Batch, None, None]:
        """Batches from `first_step` on, without end, prepared ahead by threads (Pillow releases the lock)."""
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

    def _targets(self, photo: Photo, pixels: Pixels) -> dict[str, NDArray[np.float32]]:
        words = {"category": photo.category, "kind": _kind(photo), "colour": photo.colour}
        targets = {head: _one_hot(word, self.classes[head]) for head, word in words.items()}
        return targets | {"palette": palette_shares(central_lab(pixels))}


def _kind(photo: Photo) -> str:
    return f"{photo.kind}, {photo.gender}" if photo.domain == "shop" else ""


def _classes(shop: Sequence[Photo]) -> dict[str, tuple[str, ...]]:
    """The classes of each head; rare words of the shop's own vocabulary are left out."""
    kinds = Counter(_kind(photo) for photo in shop)
    colours = Counter(photo.colour for photo in shop)
    return {
        "category": tuple(CATEGORIES),
        "kind": tuple(sorted(word for word, count in kinds.items() if count >= _FEWEST)),
        "colour": tuple(sorted(word for word, count in colours.items() if count >= _FEWEST)),
        "palette": tuple(PALETTE),
    }


def _one_hot(word: str, classes: tuple[str, ...]) -> NDArray[np.float32]:
    return np.array([word == known for known in classes], np.float32)


def _balanced(photos: Sequence[Photo]) -> NDArray[np.float64]:
    """A probability a photo."""
    counts = Counter(photo.category for photo in photos)
    weights = np.array([counts[photo.category] ** -0.5 for photo in photos])
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances

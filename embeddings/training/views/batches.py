"""What one training step sees: pairs of views of items, and consumer photos.

A batch depends on the seed and the step alone, so that a resumed run sees what the interrupted one would have seen.
Items are drawn by the inverse of their category's size to the power of 3/4, so that neither the many t-shirts nor the
few skirts dominate.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import FULL, Augmentation, Mix
from embeddings.training.data.photos import DatasetError, LabelledPhoto
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.colour import PALETTE, central_lab, palette_shares
from embeddings.training.views.items import LoadedPhoto, group

_FEWEST = 8  # a class with fewer photos in training is not learned
_BALANCE = 0.75
_AHEAD = 6
_BLENDED = 0.4  # mostly a little

Targets = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Batch:
    """Rows: a phone view of each item, a shop view of each item in the same order, then the single consumer views.

    `images` is uint8 (n, 160, 160, 3); `targets[head]` float32 (n, classes) of each head that has classes, a row of
    zeros where there is no label;
    `items` int32 (n,), the same number for views of one item; `consumer` float32 (n,), 1 for views of consumer photos.
    """

    images: NDArray[np.uint8]
    targets: Targets
    items: NDArray[np.int32]
    consumer: NDArray[np.float32]


class Batches:
    """Draws batches from the training part."""

    def __init__(self, pictures: Sequence[LoadedPhoto], mix: Mix, seed: int, augmentation: Augmentation = FULL) -> None:
        """Group photos to items and measure their colours.

        Args:
            pictures: photos, labelled or not; those of consumers serve as backgrounds too.
            mix: what a batch holds.
            seed: of everything that is drawn.
            augmentation: how strong each change of a view is.

        Raises:
            DatasetError: there are fewer items or photos than one batch takes.
        """
        items = group(pictures)
        shop = [item for item in items if item.gallery_side[0].photo.domain == "shop"]
        cut = [item for item in items if item.gallery_side[0].photo.domain == "consumer"]
        singles = [picture for picture in pictures if picture.photo.domain == "consumer"]
        self._drawn = (
            (shop, mix.pairs, _chances([item.category for item in shop])),
            (cut, mix.consumer_pairs if cut else 0, _chances([item.category for item in cut])),
        )
        self._singles = (singles, mix.singles if singles else 0, _chances([each.photo.category for each in singles]))
        for found, count, _ in (*self._drawn, self._singles):
            if len(found) < count:
                raise DatasetError(f"{len(found)} items or photos of a kind to train on are less than one batch takes")
        self.pairs = sum(count for _, count, _ in self._drawn)
        """Items a batch."""
        self._garments = [picture.garment for picture in pictures if picture.garment is not None]
        self._backgrounds = Backgrounds([picture.pixels for picture in singles])
        self._augmentation = augmentation
        self._seed = seed
        self._number = {name: number for number, name in enumerate(dict.fromkeys(p.photo.item for p in pictures))}
        self.classes = _classes([picture.photo for picture in pictures])
        """What each head tells apart: `category` (joint), `kind` (the shop's word and gender), `colour` (the shop's
        word), `palette` (the colour as measured). A head for which the photos have fewer than two is left out."""
        self.kinds_categories = _kinds_categories(pictures, self.classes)
        """(kinds, categories), 1 where the kind's photos are of the category; a consumer photo's category says so which
        kinds it may be. None where either head is left out."""
        self._targets = {id(picture): self._labels(picture) for picture in pictures}

    def batch(self, step: int) -> Batch:
        """Return the batch of one step."""
        rng = np.random.default_rng((self._seed, step))
        items = [found[row] for found, count, chances in self._drawn for row in _drawn(rng, count, chances)]
        found, count, chances = self._singles
        singles = [found[row] for row in _drawn(rng, count, chances)]
        phone = [item.query_side[rng.integers(len(item.query_side))] for item in items]
        shop = [item.gallery_side[rng.integers(len(item.gallery_side))] for item in items]
        shown = [*phone, *shop, *singles]
        images = np.empty((len(shown), INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        for row, picture in enumerate(shown):
            if len(phone) <= row < len(phone) + len(shop):
                images[row] = picture.shop_view(rng)
            else:
                images[row] = picture.phone_view(self._backgrounds, self._garments, rng, self._augmentation)
        labels = [self._targets[id(picture)] for picture in shown]
        targets = {head: np.stack([each[head] for each in labels]) for head in self.classes}
        _blend(images, targets, len(phone) + len(shop), rng, self._augmentation.mixup)
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

    def _labels(self, picture: LoadedPhoto) -> Targets:
        photo = picture.photo
        words = {"category": photo.category, "kind": _kind(photo), "colour": photo.colour}
        targets = {head: _one_hot(word, self.classes[head]) for head, word in words.items() if head in self.classes}
        return targets | {"palette": palette_shares(central_lab(picture.pixels))}


def _blend(images: NDArray[np.uint8], targets: Targets, first: int, rng: np.random.Generator, strength: float) -> None:
    """Blend every second row from `first` on with the row after it: mixup (Zhang et al. 2018).

    Without it, the model learns the few consumer photos by heart.
    """
    for row in range(first, len(images) - 1, 2):
        share = np.float32(rng.beta(_BLENDED, _BLENDED) * strength)
        images[row] = (1 - share) * images[row] + share * images[row + 1]
        for labels in targets.values():
            labels[row] = (1 - share) * labels[row] + share * labels[row + 1]


def _kind(photo: LabelledPhoto) -> str:
    return photo.kind if photo.domain == "shop" else ""


def _classes(photos: Sequence[LabelledPhoto]) -> dict[str, tuple[str, ...]]:
    """The classes of each head that has two or more; rare words of the shop's own vocabulary are left out."""
    shop = [photo for photo in photos if photo.domain == "shop"]
    classes = {
        "category": _words([photo.category for photo in photos], at_least=1),
        "kind": _words([_kind(photo) for photo in shop], at_least=_FEWEST),
        "colour": _words([photo.colour for photo in shop], at_least=_FEWEST),
        "palette": tuple(PALETTE),
    }
    return {head: words for head, words in classes.items() if len(words) > 1}


def _kinds_categories(
    pictures: Sequence[LoadedPhoto], classes: Mapping[str, Sequence[str]]
) -> NDArray[np.float32] | None:
    if "kind" not in classes or "category" not in classes:
        return None
    found = {(_kind(picture.photo), picture.photo.category) for picture in pictures}
    pairs = [[(kind, category) in found for category in classes["category"]] for kind in classes["kind"]]
    return np.array(pairs, np.float32)


def _words(labels: Sequence[str], at_least: int) -> tuple[str, ...]:
    return tuple(sorted(word for word, count in Counter(labels).items() if word and count >= at_least))


def _one_hot(word: str, classes: tuple[str, ...]) -> NDArray[np.float32]:
    return np.array([word == known for known in classes], np.float32)


def _drawn(rng: np.random.Generator, count: int, chances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Draw different rows; numpy cannot draw even none from an empty list."""
    return rng.choice(len(chances), count, replace=False, p=chances) if count else np.empty(0, np.intp)


def _chances(categories: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability of each row, given its category."""
    counts = Counter(categories)
    weights = np.array([counts[category] ** -_BALANCE for category in categories])
    chances: NDArray[np.float64] = weights / weights.sum()
    return chances

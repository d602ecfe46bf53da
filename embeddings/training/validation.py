"""The figures that a run is steered by: tasks A, C and D on the validation part."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.preprocess import photo_pixels
from embeddings.training.datasets import Part, Photo, load_pixels, select
from embeddings.training.phone_photos import phone_photo
from embeddings.training.tasks import Vectors, task_a, task_c, task_d

Embed = Callable[[NDArray[np.uint8]], Vectors]
"""(n, 160, 160, 3), 0-255, to unit vectors (n, d)."""


def encoded_photos(folder: Path, photos: Sequence[Photo]) -> list[bytes]:
    """The files as they lie in the folder."""
    return [(folder / photo.file).read_bytes() for photo in photos]


def encoded_phone_photos(folder: Path, items: Sequence[Photo], places: Sequence[Photo], seed: int) -> list[bytes]:
    """One simulated phone photo of each shop item, on the ground of consumer photos in turn."""
    ground = load_pixels(folder, places)
    pixels = load_pixels(folder, items)
    return [phone_photo(item, ground[row % len(ground)], (seed, row)) for row, item in enumerate(pixels)]


class Validation:
    """Holds the decoded photos of one part, to measure a model again and again."""

    def __init__(self, folder: Path, photos: Sequence[Photo], part: Part, seed: int, phone_photos: int = 250) -> None:
        """Decode once; `phone_photos` of the shop items are searched for by a simulated phone photo."""
        self._shop = select(photos, "shop", part)
        self._consumer = select(photos, "consumer", part)
        self._items = self._shop[:phone_photos]
        encoded = (
            *encoded_photos(folder, self._shop),
            *encoded_photos(folder, self._consumer),
            *encoded_phone_photos(folder, self._items, self._consumer, seed),
        )
        self._pixels = np.stack([photo_pixels(photo) for photo in encoded])

    def figures(self, embed: Embed) -> dict[str, float]:
        """Each task's mean, and `score`, the mean of them that a run keeps its best by."""
        vectors = embed(self._pixels)
        gallery, consumer, phone = np.split(vectors, [len(self._shop), len(self._shop) + len(self._consumer)])
        rows = np.arange(len(self._items))
        figures = {
            "A": task_a(self._consumer, consumer, self._shop, gallery).mean(),
            "C@1": task_c(self._items, phone, rows, gallery, 1).mean(),
            "C@16": task_c(self._items, phone, rows, gallery, 16).mean(),
            "D type": task_d(self._shop, gallery, [f"{photo.kind}, {photo.gender}" for photo in self._shop]).mean(),
            "D colour": task_d(self._shop, gallery, [photo.colour for photo in self._shop]).mean(),
        }
        return figures | {"score": float(np.mean(list(figures.values())))}

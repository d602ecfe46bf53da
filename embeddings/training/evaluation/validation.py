"""The figures that steer a run: every task for which the validation part has queries."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.preprocess import INPUT_SIZE, photo_pixels
from embeddings.training.data.datasets import load_pixels, select
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Part, Pixels
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.evaluation.phone_photos import drawn_ground, phone_photo
from embeddings.training.evaluation.tasks import searches

Embed = Callable[[NDArray[np.uint8]], Vectors]
"""Turns pixels (n, side, side, 3), 0-255, into unit vectors (n, d)."""


def encoded_photos(folder: Path, photos: Sequence[LabelledPhoto]) -> list[bytes]:
    """Read the files of photos.

    Raises:
        DatasetError: a file is missing.
    """
    try:
        return [(folder / photo.file).read_bytes() for photo in photos]
    except OSError as error:
        raise DatasetError(f"cannot read {error.filename} ({error.strerror}), which the data set names") from error


def encoded_phone_photos(
    folder: Path, items: Sequence[LabelledPhoto], places: Sequence[LabelledPhoto], seed: int, beside: int = 0
) -> list[bytes]:
    """Simulate a phone photo of each shop item.

    The items lie on the ground of consumer photos, taken in turn, or on drawn ground if there are none. `beside` is the
    number of other items in the corners.
    """
    ground = load_pixels(folder, places[: len(items)])
    ground = ground or [drawn_ground((seed, row)) for row in range(len(items))]
    pixels = load_pixels(folder, items)
    apart = len(pixels) // (beside + 1)
    return [
        phone_photo(
            item,
            ground[row % len(ground)],
            (seed, row),
            [pixels[(row + apart * step) % len(pixels)] for step in range(1, beside + 1)],
        )
        for row, item in enumerate(pixels)
    ]


class Validation:
    """The decoded photos of one part, to measure a model again and again."""

    def __init__(
        self,
        folder: Path,
        photos: Sequence[LabelledPhoto],
        part: Part,
        seed: int,
        phone_photos: int = 250,
        side: int = INPUT_SIZE,
    ) -> None:
        """Decode the photos, and simulate phone photos of `phone_photos` shop items.

        `side` is the side of the pixels that the model takes.

        Raises:
            DatasetError: a photo cannot be read, or the part has no query at all.
        """
        shop, consumer = select(photos, "shop", part), select(photos, "consumer", part)
        items = shop[:phone_photos]
        self._searches = searches([*shop, *consumer], len(shop) + len(consumer), np.arange(len(items)))
        if not self._searches:
            raise DatasetError(f"the {part} part has no shop photos to search in; add photos or choose another seed")
        encoded = (
            *encoded_photos(folder, shop),
            *encoded_photos(folder, consumer),
            *encoded_phone_photos(folder, items, consumer, seed),
        )
        self._pixels = np.stack([_scaled(photo_pixels(photo), side) for photo in encoded])

    def figures(self, embed: Embed) -> dict[str, float]:
        """Return the mean of each task."""
        vectors = embed(self._pixels)
        scores = [search.scores(search.ask(vectors)) for search in self._searches]
        return {name: each.mean() for found in scores for name, each in found.items()}


def _scaled(pixels: Pixels, side: int) -> Pixels:
    if len(pixels) == side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX))

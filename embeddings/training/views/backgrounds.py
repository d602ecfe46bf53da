"""Backgrounds for garments: pieces of real photos, and random patterns.

Their colours are shuffled freely. A background says nothing about the garment, but a model that sees only real beds
learns that trousers are beige.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.data.photos import Pixels

_REAL = 0.75
_WHOLE_PHOTO = 0.25  # of the real ones, where another garment stays in view
_RECOLOUR = 0.6


class Backgrounds:
    """Draws backgrounds from consumer photos, which must be of the training part."""

    def __init__(self, photos: Sequence[Pixels]) -> None:
        """Keep references to photos (h, w, 3)."""
        self._photos = photos

    def draw(self, rng: np.random.Generator, side: int = INPUT_SIZE) -> Image.Image:
        """Draw a background of `side` x `side` px."""
        image = self._real(rng, side) if self._photos and rng.random() < _REAL else _pattern(rng, side)
        return _recoloured(image, rng) if rng.random() < _RECOLOUR else image

    def _real(self, rng: np.random.Generator, side: int) -> Image.Image:
        """Take a whole photo, or one of its corners, where the floor or the bed is."""
        image = Image.fromarray(self._photos[int(rng.integers(len(self._photos)))])
        width, height = image.size
        share = 1.0 if rng.random() < _WHOLE_PHOTO else rng.uniform(0.2, 0.4)
        left = (1 - share) * width * rng.integers(2)
        top = (1 - share) * height * rng.integers(2)
        box = (left, top, left + share * width, top + share * height)
        return image.resize((side, side), Image.Resampling.BILINEAR, box=box)


def _pattern(rng: np.random.Generator, side: int) -> Image.Image:
    """Draw one colour, stripes, a grid or blotches, between two colours."""
    along = np.linspace(0, rng.uniform(1, 30), side, dtype=np.float32)
    mix: NDArray[np.float32]
    phase = rng.uniform(0, 2 * np.pi)
    kind = rng.integers(4)
    if kind == 0:
        mix = np.zeros((side, side), np.float32)
    elif kind == 1:
        mix = np.broadcast_to(np.sin(along + phase) > 0, (side, side)).astype(np.float32)
        mix = mix if rng.random() < 0.5 else mix.T
    elif kind == 2:
        mix = (np.outer(np.sin(along + phase), np.sin(along)) > 0).astype(np.float32)
    else:
        cells = int(rng.integers(3, 40))
        blotches = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
        mix = np.asarray(blotches.resize((side, side), Image.Resampling.BICUBIC), np.float32) / np.float32(255)
    one, other = rng.uniform(0, 255, (2, 3)).astype(np.float32)
    return Image.fromarray((one + mix[..., None] * (other - one)).astype(np.uint8))


def _recoloured(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Shuffle the channels and give each a gain of its own."""
    pixels = np.asarray(image)[..., rng.permutation(3)] * rng.uniform(0.4, 1.4, 3).astype(np.float32)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

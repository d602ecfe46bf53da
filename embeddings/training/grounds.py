"""Floors and cloths, drawn for data sets without a photo of a real place: what the measuring phone photos lie on.

As `phone_photos`, this shares nothing with the backgrounds of training.
"""

import numpy as np
from numpy.typing import NDArray

from embeddings.training.data.photos import Pixels

_HEIGHT, _WIDTH = 400, 300


def drawn_ground(seed: tuple[int, ...]) -> Pixels:
    """Planks, tiles or a cloth (400, 300, 3); the same seed gives the same ground."""
    rng = np.random.default_rng(seed)
    light = (_planks, _tiles, _cloth)[rng.integers(3)](rng) + rng.normal(0, 0.02, (_HEIGHT, _WIDTH))
    colour = rng.uniform(60, 220) * (1 + rng.uniform(-0.25, 0.25, 3))
    return np.clip(light[..., None] * colour, 0, 255).astype(np.uint8)


def _planks(rng: np.random.Generator) -> NDArray[np.float64]:
    """Boards across the photo, each a little lighter or darker, with a dark joint."""
    board, within = np.divmod(np.arange(_HEIGHT), rng.integers(25, 70))
    tone = rng.normal(1, 0.08, board.max() + 1)[board] * np.where(within < 2, 0.6, 1)
    return np.repeat(tone[:, None], _WIDTH, axis=1)


def _tiles(rng: np.random.Generator) -> NDArray[np.float64]:
    """Squares with pale joints."""
    side = rng.integers(40, 110)
    y, x = np.ogrid[:_HEIGHT, :_WIDTH]
    return np.where((y % side < 3) | (x % side < 3), 1.25, 1.0)


def _cloth(rng: np.random.Generator) -> NDArray[np.float64]:
    """Soft folds: a few waves in different directions."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    waves = [np.sin((x * np.cos(turn) + y * np.sin(turn)) / rng.uniform(15, 60)) for turn in rng.uniform(0, np.pi, 4)]
    folds: NDArray[np.float64] = 1 + 0.06 * np.sum(waves, axis=0)
    return folds

"""Measure how similar a gallery's images are to one another, and what a `min_score` would leave out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from scripts.reporting.index_contents import Vectors

DEPTH = 16
ASKED = 2_000
PAIRS = 200_000
CHANCE = 0.95
_BLOCK = 64  # queries at once: 15 MB of scores for 60,000 images

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Effect:
    """The effect of a `min_score` on searches by the gallery's own images."""

    min_score: float
    pairs: float
    """The share of random pairs that reach it."""
    answered: float
    """The share of searches that find at least one image."""
    results: float
    """How many of the best 16 results stay, on average."""


@dataclass(frozen=True)
class Scores:
    """Cosines between images of a gallery."""

    best: Values
    """(asked, up to 16): between a sample of images and their nearest others, best first."""
    pairs: Values
    """Between random pairs of different images."""

    @cached_property
    def suggested(self) -> float:
        """The `min_score` that 95 % of random pairs stay below.

        Nearest neighbours would suggest more, but a visitor's photo is less similar to the gallery than the gallery is
        to itself.
        """
        return float(np.floor(np.quantile(self.pairs, CHANCE) * 100) / 100)

    def by_name(self) -> dict[str, Values]:
        """Return the distributions by name, from low to high."""
        return {
            "random pairs": self.pairs,
            f"nearest image no. {self.best.shape[1]}": self.best[:, -1],
            "nearest image": self.best[:, 0],
        }

    def effect(self, min_score: float) -> Effect:
        """Return the effect of a `min_score`."""
        kept = self.best >= min_score
        return Effect(
            min_score,
            float((self.pairs >= min_score).mean()),
            float(kept[:, 0].mean()),
            float(kept.sum(axis=1).mean()),
        )


def measure_scores(vectors: Vectors, seed: int = 0) -> Scores | None:
    """Search the gallery with a sample of its own images; return None for fewer than two images."""
    count = len(vectors)
    if count < 2:
        return None
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.choice(count, min(count, ASKED), replace=False))
    depth = min(DEPTH, count - 1)
    best = np.empty((len(asked), depth), dtype=np.float32)
    for start in tqdm(range(0, len(asked), _BLOCK), desc="scores", disable=None, leave=False):
        rows = asked[start : start + _BLOCK]
        scores = vectors[rows] @ vectors.T
        scores[np.arange(len(rows)), rows] = -np.inf  # an image does not find itself
        nearest = np.partition(scores, count - depth, axis=1)[:, count - depth :]
        best[start : start + len(rows)] = np.sort(nearest, axis=1)[:, ::-1]
    first = rng.integers(count, size=PAIRS)
    second = (first + rng.integers(1, count, size=PAIRS)) % count  # a different row
    pairs = np.concatenate(
        [np.einsum("ij,ij->i", vectors[a], vectors[b]) for a, b in zip(_parts(first), _parts(second), strict=True)]
    )
    return Scores(best, pairs)


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(rows, 20)

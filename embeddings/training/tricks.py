"""What can be done to vectors after the model and before the search, at little cost. Pure functions.

Vectors are float32 (n, d), of unit length on either side.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from embeddings.preprocess import photo_pixels
from embeddings.training.evaluation.metrics import Floats, Vectors, Words, neighbours

_NOTHING = 1e-6  # an axis of less than this share of the greatest variance is rounding


def unit(vectors: Vectors | Floats) -> Vectors:
    """The same directions at length 1; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    directions: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return directions


def mirrored(photo: bytes) -> bytes:
    """An encoded photo as the model would see it in a mirror, losslessly encoded."""
    stream = BytesIO()
    Image.fromarray(photo_pixels(photo)[:, ::-1]).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def averaged(one: Vectors, other: Vectors) -> Vectors:
    """The mean direction of two views of each photo."""
    return unit(one + other)


@dataclass(frozen=True)
class Whitening:
    """Principal axes of some vectors, to give every axis the same variance: (x - mean) @ axes."""

    mean: Floats
    """(d,)."""
    axes: Floats
    """(d, r): eigenvectors of the covariance as columns, each divided by the root of its variance."""

    @classmethod
    def fit(cls, vectors: Vectors) -> "Whitening":
        """Fit to vectors (n, d) that nothing is measured on; axes without variance are dropped."""
        wide = vectors.astype(np.float64)
        variances, axes = np.linalg.eigh(np.cov(wide, rowvar=False))
        kept = variances > _NOTHING * variances.max()
        return cls(wide.mean(axis=0), axes[:, kept] / np.sqrt(variances[kept]))

    def apply(self, vectors: Vectors) -> Vectors:
        """Whitened unit vectors (n, r)."""
        return unit((vectors - self.mean) @ self.axes)


def smoothed(gallery: Vectors, nearest: int) -> Vectors:
    """Each photo's vector averaged with those of its nearest in the gallery (database-side augmentation, Arandjelovic
    and Zisserman 2012, with equal weights)."""
    return unit(gallery + gallery[neighbours(gallery, gallery, nearest, without_self=True)].sum(axis=1))


def expanded(queries: Vectors, gallery: Vectors, nearest: int) -> Vectors:
    """Each query averaged with its first results (average query expansion, Chum et al. 2007)."""
    return unit(queries + gallery[neighbours(queries, gallery, nearest)].sum(axis=1))


def towards_centroids(gallery: Vectors, labels: Words) -> Vectors:
    """Each photo's vector averaged with the mean direction of its label; without a label it stays."""
    moved = gallery.copy()
    for label in np.unique(labels[labels != ""]):
        rows = labels == label
        moved[rows] += unit(gallery[rows].sum(axis=0, keepdims=True))
    return unit(moved)

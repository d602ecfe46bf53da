"""Vectors with two halves: the first tells items apart, the second kinds.

On one projection, items and kinds spoil each other's distances. With a projection each, they share only the backbone.
"""

from typing import Any

Tensor = Any

_ROOT_2 = 2**0.5
_READ_ITEMS = ("palette",)  # it knows the garment's own colours; other heads know what many garments share


def halves(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Split unit vectors (n, 2 d) into unit vectors (n, d) of items and of kinds."""
    middle = vectors.shape[-1] // 2
    return vectors[:, :middle] * _ROOT_2, vectors[:, middle:] * _ROOT_2


def read_by(head: str, vectors: Tensor) -> Tensor:
    """Return the half (n, d) of vectors (n, 2 d) that a head reads."""
    items, kinds = halves(vectors)
    return items if head in _READ_ITEMS else kinds

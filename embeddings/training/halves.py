"""A vector in two halves: the first tells items apart, the second kinds.

Both pull at the backbone in different directions, and on one projection each spoils the other's distances. On
projections of their own they share the backbone alone.
"""

from typing import Any

Tensor = Any

_ROOT_2 = 2**0.5
_READ_ITEMS = ("palette",)  # the colours of the garment itself; what other heads say, many garments share


def halves(vectors: Tensor, separate: bool) -> tuple[Tensor, Tensor]:
    """Return the unit vectors (n, d) of items and of kinds that unit vectors (n, 2 d) consist of.

    Vectors that are not separate are both.
    """
    if not separate:
        return vectors, vectors
    middle = vectors.shape[-1] // 2
    return vectors[:, :middle] * _ROOT_2, vectors[:, middle:] * _ROOT_2


def read_by(head: str, vectors: Tensor, separate: bool) -> Tensor:
    """Return the half that a head reads."""
    items, kinds = halves(vectors, separate)
    return items if head in _READ_ITEMS else kinds

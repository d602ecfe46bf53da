"""Vectors of two parts: the first two thirds tell items apart, the last third kinds.

On one projection, items and kinds spoil each other's distances. With a projection each, they share only the backbone.
Kinds need less room: with half as many numbers as items, no figure of the evaluation falls.
"""

from typing import Any

Tensor = Any

_ROOT_2 = 2**0.5
_READ_ITEMS = ("palette",)  # it knows the garment's own colours; other heads know what many garments share


def lengths(dimension: int) -> dict[str, int]:
    """Return the length of each part, by name. `dimension` is that of items, an even number."""
    return {"items": dimension, "kinds": dimension // 2}


def items_and_kinds(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Split unit vectors (n, 3 d / 2) into unit vectors of items (n, d) and of kinds (n, d / 2)."""
    end = vectors.shape[-1] * 2 // 3
    return vectors[:, :end] * _ROOT_2, vectors[:, end:] * _ROOT_2


def read_by(head: str, vectors: Tensor) -> Tensor:
    """Return the part of vectors (n, 3 d / 2) that a head reads."""
    items, kinds = items_and_kinds(vectors)
    return items if head in _READ_ITEMS else kinds

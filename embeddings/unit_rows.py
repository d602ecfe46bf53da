"""A stored matrix as float32 rows of unit length, ready to be searched."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_TILE = 1024
"""Rows converted at once: few enough to stay in the processor's cache, and to need no copy of the whole matrix."""


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows of a matrix (n, dimension) as float32 of unit length.

    Stored as float16, searched as float32: numpy is 15 times slower on float16. Rounding to float16 bent the lengths by
    up to 0.05 %, which would show as scores above 1.
    """
    return joined_unit_rows([vectors.reshape(-1)], vectors.shape)


def joined_unit_rows(parts: Iterable[NDArray[np.floating]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The `unit_rows` of a matrix of this shape, of whose numbers each part goes on where the one before it ends.

    A part may end within a row.
    """
    rows = np.empty(shape, np.float32)
    numbers, dimension = rows.reshape(-1), shape[1]
    done = finished = 0
    for part in parts:
        for start in range(0, len(part), _TILE * dimension):
            tile = part[start : start + _TILE * dimension]
            _widen(tile, numbers[done : done + len(tile)])
            done += len(tile)
            whole = rows[finished : done // dimension]
            whole /= np.maximum(np.sqrt(np.vecdot(whole, whole)), np.finfo(np.float32).tiny)[:, np.newaxis]
            finished = done // dimension
    return rows


def _widen(vectors: NDArray[np.floating], tile: NDArray[np.float32]) -> None:
    """Write finite numbers as float32 into `tile`.

    From float16 numpy converts one number after the other; shifting sign, exponent and fraction to their places, and
    making up for the other bias of the exponent, is exact and takes half of the time of loading a gallery.
    """
    if vectors.dtype != np.float16:
        tile[:] = vectors
        return
    bits = tile.view(np.int32)
    bits[:] = vectors.view(np.int16)
    bits <<= 13
    bits &= -0x70002000  # not the copies of the sign bit
    tile *= np.float32(2**112)

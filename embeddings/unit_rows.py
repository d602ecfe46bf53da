"""Turn stored rows into float32 rows of unit length, and score them."""

import numpy as np
from numpy.typing import NDArray

TILE = 1024
"""Rows converted at once: few enough for the processor's cache, and no copy of the whole matrix is needed."""


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert a matrix (n, dimension) to float32 rows of unit length; a row of zeros stays zeros.

    Vectors are stored as float16, whose rounding changed the lengths by up to 0.05 %. That would show as scores
    above 1.
    """
    rows = np.empty(vectors.shape, np.float32)
    for start in range(0, len(rows), TILE):
        tile = rows[start : start + TILE]
        widen(vectors[start : start + TILE], tile)
        tile /= np.maximum(np.sqrt(np.vecdot(tile, tile)), np.finfo(np.float32).tiny)[:, np.newaxis]
    return rows


def scores_of(vectors: NDArray[np.floating], rows: NDArray[np.intp], query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the exact cosines, float32 (n,), of some rows of a matrix to a unit vector; see `picked_rows`."""
    scores = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), TILE):
        block = rows[start : start + TILE]
        # Row by row, unlike `@`, so that equal vectors have equal scores wherever they lie.
        np.vecdot(picked_rows(vectors, block), query, out=scores[start : start + len(block)])
    return scores


def picked_rows(vectors: NDArray[np.floating], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return some rows of a matrix as float32 unit vectors; those of a float32 matrix have unit length already."""
    picked = vectors[rows]
    return picked if picked.dtype == np.float32 else unit_rows(picked)


def widen(vectors: NDArray[np.floating], tile: NDArray[np.float32]) -> None:
    """Write finite numbers into `tile` as float32.

    numpy converts float16 one number at a time. It is as exact, and several times as fast, to shift sign, exponent and
    fraction into place and then correct the exponent's bias.
    """
    if vectors.dtype != np.float16:
        tile[:] = vectors
        return
    bits = tile.view(np.int32)
    bits[:] = vectors.view(np.int16)
    bits <<= 13
    bits &= -0x70002000  # clears the copies of the sign bit
    tile *= np.float32(2**112)

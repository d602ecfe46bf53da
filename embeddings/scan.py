"""Estimate scores from one byte a number, with a bound on the error, so that few rows need be read in full."""

from collections.abc import Iterator

import numpy as np
import simsimd
from numpy.typing import NDArray

from embeddings.unit_rows import TILE, widen

_MOST = 127
"""The largest code; -128 is not used, so that a row and its opposite have opposite codes."""


class Scan:
    """The rows of a matrix in int8, a quarter of the bytes that float32 rows would take from memory.

    The unit vector of row `i` is `codes[i] * steps[i]`, and none of its numbers is off by more than half a step.
    """

    def __init__(self, vectors: NDArray[np.floating]) -> None:
        """Encode a matrix (n, dimension) of finite numbers; the rows need not have unit length."""
        count, dimension = vectors.shape
        self._codes = np.empty((count, dimension), np.int8)
        self._steps = np.empty(count, np.float32)
        tile = np.empty((TILE, dimension), np.float32)
        for start in range(0, count, TILE):
            rows = tile[: min(TILE, count - start)]
            part = slice(start, start + len(rows))
            widen(vectors[part], rows)
            peaks = np.maximum(rows.max(axis=1, initial=0), -rows.min(axis=1, initial=0))
            peaks[peaks == 0] = 1
            rows *= (_MOST / peaks)[:, np.newaxis]
            self._steps[part] = 1 / np.maximum(np.sqrt(np.vecdot(rows, rows)), 1)
            self._codes[part] = np.rint(rows, out=rows)

    def estimate(
        self, rows: slice | NDArray[np.intp], query: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Estimate the scores of rows, float32 (n,), and say by how much each may be off at most, float32 (n,).

        With u a row's unit vector, c its codes times its step, and q and d the same of the query, the error is
        |q u - d c| = |(q - d) u + d (u - c)|. That is at most |q - d|, plus half a step for each number of d.
        """
        step = max(float(np.abs(query).max()), float(np.finfo(np.float32).tiny)) / _MOST
        codes = np.rint(query / step).astype(np.int8)
        # A row's score is summed up in float32, and so is the length by which it is divided.
        rounding = len(query) * 2.0**-23 * float(np.linalg.norm(query))
        steps = self._steps[rows]
        errors = steps * np.float32(step * np.abs(codes, dtype=np.int32).sum() / 2)
        errors += np.float32(float(np.linalg.norm(query - codes * np.float32(step))) + rounding)
        scores = np.empty(len(steps), np.float32)
        done = 0
        for part in self._parts(rows):
            scores[done : done + len(part)] = np.asarray(
                simsimd.cdist(codes[np.newaxis], part, metric="dot", out_dtype="float32")
            )
            done += len(part)
        scores *= steps * np.float32(step)
        return scores, errors

    def _parts(self, rows: slice | NDArray[np.intp]) -> Iterator[NDArray[np.int8]]:
        """Yield the codes of rows, where they lie if they lie together; else in copies small enough for the cache."""
        if not isinstance(rows, slice):
            for start in range(0, len(rows), TILE):
                yield self._codes[rows[start : start + TILE]]
        elif len(part := self._codes[rows]):  # simsimd refuses a matrix without rows
            yield part

"""Find images that are nearly the same: copies, other sizes of one photo, one photo under two names."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from tqdm import tqdm

from scripts.reporting.index_contents import Vectors

_TILE = 2048
"""Rows and columns of one tile of cosines: 16 MB, whatever the size of the gallery."""
_ROUNDING = 5e-7  # so that a photo and its copy reach a cosine of 1


@dataclass(frozen=True)
class Duplicates:
    """Near-duplicates of a gallery."""

    pairs: int
    """Pairs of images that reach the limit."""
    groups: list[list[tuple[int, float]]]
    """Rows, each with its cosine to an earlier row of its group; the first has 1. The closest groups come first."""

    @property
    def surplus(self) -> int:
        """Images that could go if each group kept one."""
        return sum(len(group) - 1 for group in self.groups)


def find_duplicates(vectors: Vectors, limit: float) -> Duplicates:
    """Compare every image with every other, tile by tile.

    An image joins the group of the first row with which its cosine is at least `limit`.
    """
    count = len(vectors)
    pairs = 0
    first = np.full(count, -1)
    cosine = np.ones(count, dtype=np.float32)
    starts = range(0, count, _TILE)
    with tqdm(total=len(starts) * (len(starts) + 1) // 2, desc="near-duplicates", disable=None, leave=False) as bar:
        for top in starts:
            for left in range(top, count, _TILE):
                tile = vectors[top : top + _TILE] @ vectors[left : left + _TILE].T
                same = tile >= limit - _ROUNDING
                if top == left:
                    same = np.triu(same, 1)
                pairs += int(np.count_nonzero(same))
                columns = np.flatnonzero(same.any(axis=0) & (first[left : left + _TILE] < 0))
                rows = same[:, columns].argmax(axis=0)
                first[left + columns] = top + rows
                cosine[left + columns] = tile[rows, columns]
                bar.update()
    return Duplicates(pairs, _groups(first, cosine))


def _groups(first: "np.ndarray[tuple[int], np.dtype[np.int64]]", cosine: Vectors) -> list[list[tuple[int, float]]]:
    """Follow each image to the first of its group: the image it resembles may itself resemble an earlier one."""
    root = np.arange(len(first))
    followers = np.flatnonzero(first >= 0)
    for row in followers.tolist():  # ascending: the root of an earlier row is known by now
        root[row] = root[first[row]]
    members = sorted(set(root[followers].tolist()) | set(followers.tolist()), key=lambda row: (root[row], row))
    groups = [
        [(row, round(float(cosine[row]), 6)) for row in group]
        for _, group in groupby(members, key=lambda row: root[row])
    ]
    return sorted(groups, key=lambda group: -min(score for _, score in group))

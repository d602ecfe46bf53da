"""Images that are nearly the same: copies, other sizes of one photo, the same photo under two names."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from tqdm import tqdm

from scripts.reporting.contents import Vectors

_TILE = 2048
"""Rows compared with as many others at once: 16 MB of cosines, whatever the gallery's size."""
_ROUNDING = 5e-7  # a photo's cosine to its copy is 1, not 0.9999999


@dataclass(frozen=True)
class Duplicates:
    """What `find_duplicates` found."""

    pairs: int
    groups: list[list[tuple[int, float]]]
    """Rows, each with its cosine to an earlier one of its group; the first has 1. The closest groups come first."""

    @property
    def surplus(self) -> int:
        """Images that would go if each group kept one."""
        return sum(len(group) - 1 for group in self.groups)


def find_duplicates(vectors: Vectors, limit: float) -> Duplicates:
    """Compare every image with every other, tile by tile.

    An image joins the group of the first one, by row, that it has at least the cosine `limit` with.
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
    """Follow each image to the first of its group: the one it resembles may resemble an earlier one."""
    root = np.arange(len(first))
    followers = np.flatnonzero(first >= 0)
    for row in followers.tolist():  # ascending, so that what it leads to is known
        root[row] = root[first[row]]
    members = sorted(set(root[followers].tolist()) | set(followers.tolist()), key=lambda row: (root[row], row))
    groups = [
        [(row, round(float(cosine[row]), 6)) for row in group]
        for _, group in groupby(members, key=lambda row: root[row])
    ]
    return sorted(groups, key=lambda group: -min(score for _, score in group))

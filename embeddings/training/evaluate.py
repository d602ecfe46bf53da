"""All tasks on one part of the photos, for anything that turns photos into vectors.

There is no task B (garments cropped from street photos): the photos hold no street photo.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.preprocess import photo_pixels
from embeddings.training.colour import central_lab
from embeddings.training.datasets import DatasetError, Part, Split, read_photos, select
from embeddings.training.export import spread
from embeddings.training.tasks import Scores, Vectors, neighbours, task_a, task_c, task_d, task_e
from embeddings.training.validation import encoded_phone_photos, encoded_photos

Embed = Callable[[Sequence[bytes]], Vectors]
"""Encoded photos to unit vectors (n, d)."""

# The phone photos of the test part must not be those that the run was steered by.
_PHONE_SEED = 1000


@dataclass(frozen=True)
class Answers:
    """The results of one task, to look at: row numbers into `results`, and which of them are right."""

    task: str
    queries: list[bytes]
    results: list[bytes]
    found: NDArray[np.intp]
    """(n, 16)."""
    right: NDArray[np.bool_]
    """(n, 16)."""
    titles: list[str]
    """What each query shows."""


class Evaluation:
    """The photos of one part, read once: measure any number of models on the same queries."""

    def __init__(self, folder: Path, split: Split, part: Part, phone_photos: int) -> None:
        """Read them.

        Args:
            folder: of the labelled photos.
            split: as the model was trained with, or the figures flatter it.
            part: which of the three to take queries and gallery from.
            phone_photos: so many shop items of the part are searched for by a simulated phone photo.

        Raises:
            DatasetError: the part is too small to search in.
        """
        photos = read_photos(folder, split)
        self._shop, self._consumer = select(photos, "shop", part), select(photos, "consumer", part)
        if len(self._shop) <= 16 or not self._consumer:
            raise DatasetError(f"the {part} part has {len(self._shop)} shop and {len(self._consumer)} consumer photos")
        others = [photo for photo in photos if photo.domain == "shop" and photo.part != part]
        self._item_rows = np.array(spread(range(len(self._shop)), phone_photos))
        self._items = [self._shop[row] for row in self._item_rows]
        self._shop_files = encoded_photos(folder, self._shop)
        self._other_files = encoded_photos(folder, others)
        self._consumer_files = encoded_photos(folder, self._consumer)
        self._phone_files = encoded_phone_photos(folder, self._items, self._consumer, _PHONE_SEED + split.seed)
        self._shop_labs = np.stack([central_lab(photo_pixels(photo)) for photo in self._shop_files])
        self._consumer_labs = np.stack([central_lab(photo_pixels(photo)) for photo in self._consumer_files])
        self.about: dict[str, Any] = {
            "part": part,
            "split": split.as_dict(),
            "gallery": len(self._shop),
            "gallery with the other parts": len(self._shop) + len(others),
            "consumer queries": len(self._consumer),
            "senders": len({photo.sender for photo in self._consumer}),
            "simulated phone photos": len(self._items),
        }

    def measure(self, embed: Embed) -> tuple[dict[str, Scores], list[Answers]]:
        """Scores of every task that the photos hold queries for, and the answers of tasks A and C.

        All galleries are the part's own shop photos, unseen in training; `C@k all` searches among those of the
        other parts as well, which is harder for being larger.
        """
        shop, consumer = embed(self._shop_files), embed(self._consumer_files)
        phone, others = embed(self._phone_files), embed(self._other_files)
        everything = np.concatenate([shop, others])
        rows = self._item_rows
        scores = {
            "A": task_a(self._consumer, consumer, self._shop, shop),
            "C@1": task_c(self._items, phone, rows, shop, 1),
            "C@16": task_c(self._items, phone, rows, shop, 16),
            "C@1 all": task_c(self._items, phone, rows, everything, 1),
            "C@16 all": task_c(self._items, phone, rows, everything, 16),
            "D type": task_d(self._shop, shop, [f"{photo.kind}, {photo.gender}" for photo in self._shop]),
            "D colour": task_d(self._shop, shop, [photo.colour for photo in self._shop]),
            "E": task_e(self._consumer, consumer, self._consumer_labs, self._shop, shop, self._shop_labs),
        }
        asked = {task: score for task, score in scores.items() if len(score.values)}
        return asked, [self._answers_a(consumer, shop), self._answers_c(phone, everything)]

    def _answers_a(self, consumer: Vectors, shop: Vectors) -> Answers:
        found = neighbours(consumer, shop)
        titles = [photo.category for photo in self._consumer]
        right = np.array([photo.category for photo in self._shop])[found] == np.array(titles)[:, None]
        return Answers("A", self._consumer_files, self._shop_files, found, right, titles)

    def _answers_c(self, phone: Vectors, everything: Vectors) -> Answers:
        found = neighbours(phone, everything)
        titles = [f"{photo.kind}, {photo.colour}" for photo in self._items]
        right = found == self._item_rows[:, None]
        return Answers("C", self._phone_files, self._shop_files + self._other_files, found, right, titles)


def as_record(scores: dict[str, Scores]) -> dict[str, Any]:
    """Means, 95 % intervals and numbers of queries, for the card and for figures.json."""
    record: dict[str, Any] = {}
    for task, score in scores.items():
        low, high = score.interval()
        record[task] = {
            "mean": round(score.mean(), 3),
            "interval": [round(low, 3), round(high, 3)],
            "queries": len(score.values),
        }
    if "A" in scores:
        groups = scores["A"].by_group()
        record["A"]["by category"] = {group: round(mean, 3) for group, mean in sorted(groups.items())}
    return record


def as_table(records: dict[str, dict[str, Any]]) -> str:
    """Rows of tasks, columns of models: mean [interval]."""
    names = list(records)
    tasks = list(records[names[0]])
    lines = [f"{'task':10}" + "".join(f"{name:>26}" for name in names)]
    for task in tasks:
        cells = [
            f"{r[task]['mean']:.3f} [{r[task]['interval'][0]:.3f}, {r[task]['interval'][1]:.3f}]"
            for r in records.values()
        ]
        lines.append(f"{task:10}" + "".join(f"{cell:>26}" for cell in cells))
    return "\n".join(lines)

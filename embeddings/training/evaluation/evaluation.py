"""The evaluation: all tasks on one part of the photos, for anything that turns photos into vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from embeddings.preprocess import photo_pixels
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import PARTS, DatasetError, Part, Split
from embeddings.training.evaluation.metrics import K, Rows, Scores, Vectors
from embeddings.training.evaluation.tasks import Search, searches
from embeddings.training.evaluation.validation import encoded_phone_photos, encoded_photos
from embeddings.training.views.colour import central_lab

Embed = Callable[[Sequence[bytes]], Vectors]
"""Turns n encoded photos into unit vectors (n, d)."""

# Keeps these phone photos apart from the validation's, which steered the run.
_PHONE_SEED = 1000
_BESIDE = 2


@dataclass(frozen=True)
class Answers:
    """A model's results for a search: rows of its gallery, best first (queries, 50)."""

    search: Search
    found: Rows


class Evaluation:
    """The photos of one part, read once to measure any number of models on the same queries."""

    def __init__(self, folder: Path, split: Split, part: Part | Literal["all"], phone_photos: int) -> None:
        """Read the photos, without those that are for training only.

        Args:
            folder: the data set, in any layout that `read_photos` knows.
            split: the split that the model was trained with; any other flatters the figures.
            part: the part with queries and galleries. "all" takes every photo: use it for photos that no model was
                trained on.
            phone_photos: the number of shop items to search for by a simulated phone photo.

        Raises:
            DatasetError: a photo is missing, or the part is too small to search in.
        """
        photos = [photo for photo in read_photos(folder, split) if not photo.training_only]
        parts = PARTS if part == "all" else (part,)
        own = [photo for photo in photos if photo.part in parts]
        others = [photo for photo in photos if photo.domain == "shop" and photo.part not in parts]
        shop = np.array([row for row, photo in enumerate(own) if photo.domain == "shop"], np.intp)
        consumer = [photo for photo in own if photo.domain == "consumer"]
        if len(shop) <= K:
            raise DatasetError(
                f"the {part} part has {len(shop)} shop photos, but a search needs more than {K}; "
                "part 'all' takes every photo"
            )
        items = shop[np.linspace(0, len(shop) - 1, min(phone_photos, len(shop))).astype(np.intp)]
        self.photos = [*own, *others]
        shown = [own[row] for row in items]
        seed = _PHONE_SEED + split.seed
        phones = encoded_phone_photos(folder, shown, consumer, seed)
        several = encoded_phone_photos(folder, shown, consumer, seed, _BESIDE)
        self.files = [*encoded_photos(folder, self.photos), *phones, *several]
        """Encoded photos: those of the part, shop photos of the other parts, phone photos of one garment each, and the
        same phone photos with other garments in the corners."""
        self.names = [
            *(photo.file for photo in self.photos),
            *(f"phone photo of {photo.file}" for photo in shown),
            *(f"phone photo of {photo.file} and others" for photo in shown),
        ]
        """The name of each file, for people."""
        labs = np.stack([central_lab(photo_pixels(photo)) for photo in self.files[: len(own)]]) if consumer else None
        self.searches = searches(self.photos, len(own), items, labs, several=True)
        self.about: dict[str, Any] = {
            "part": part,
            "split": split.as_dict(),
            "gallery": len(shop),
            "gallery with the other parts": len(shop) + len(others),
            "categories": len({photo.category for photo in own if photo.category}),
            "consumer queries": len(consumer),
            "senders": len({photo.sender for photo in consumer if photo.sender}),
            "simulated phone photos": len(items),
        }

    def measure(self, vectors: Vectors) -> tuple[dict[str, Scores], list[Answers]]:
        """Score the vectors of `files` on every task; return the scores by figure, and the answers.

        The gallery is the part's own shop photos, which training has not seen. `C all` adds those of the other parts,
        and is harder because its gallery is larger. DeepFashion's protocols have their own galleries.
        """
        answers = [Answers(search, search.ask(vectors)) for search in self.searches]
        scores: dict[str, Scores] = {}
        for answer in answers:
            scores |= answer.search.scores(answer.found)
        return scores, answers


def as_record(scores: dict[str, Scores]) -> dict[str, Any]:
    """Return means, 95 % intervals and numbers of queries, for the card and for figures.json."""
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
    """Format a table with a row a task and a column a model: mean [interval]."""
    names = list(records)
    tasks = list(records[names[0]])
    width = max(26, *(len(name) + 2 for name in names))
    lines = [f"{'task':14}" + "".join(f"{name:>{width}}" for name in names)]
    for task in tasks:
        cells = [
            f"{r[task]['mean']:.3f} [{r[task]['interval'][0]:.3f}, {r[task]['interval'][1]:.3f}]"
            for r in records.values()
        ]
        lines.append(f"{task:14}" + "".join(f"{cell:>{width}}" for cell in cells))
    return "\n".join(lines)

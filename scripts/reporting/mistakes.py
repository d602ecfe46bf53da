"""A list of the queries that a model did not answer fully: where to look before the next training."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from embeddings.training.evaluation.evaluation import Answers
from embeddings.training.evaluation.metrics import K

_WRONG = 3
_COLUMNS = ("task", "query", "wanted", "hits", "of", "rank of the first hit", "first wrong results")


def write_failures(path: Path, answers: Sequence[Answers], names: Sequence[str]) -> None:
    """Write a CSV file of the queries that miss a right answer in the first 16 results or begin with a wrong one.

    Within a task, queries with the fewest hits come first. The rank of the first hit counts from 1; it is empty if the
    first 50 results hold none. `names` are those of the pool's photos.
    """
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for answer in answers:
            writer.writerows(_failures(answer, names))


def _failures(answers: Answers, names: Sequence[str]) -> Iterator[tuple[str | int, ...]]:
    search = answers.search
    right = search.right(answers.found)
    hits, of = right[:, :K].sum(axis=1), np.minimum(search.relevant(), K)
    failed = np.flatnonzero((of > 0) & ((hits < of) | ~right[:, 0]))
    for row in failed[np.argsort(hits[failed] / of[failed], kind="stable")]:
        rank = int(right[row].argmax()) + 1 if right[row].any() else ""
        wrong = search.gallery[answers.found[row, ~right[row]][:_WRONG]]
        yield (
            search.name,
            names[search.queries[row]],
            str(search.wanted[row]),
            int(hits[row]),
            int(of[row]),
            rank,
            " | ".join(names[photo] for photo in wrong),
        )

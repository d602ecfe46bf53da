"""Measures what a model tells of photos: what it takes for sure, searches in words, and "the same in blue"."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.sight import Attribute, Sight
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.data.title_words import look_words
from embeddings.training.evaluation.metrics import K, Vectors
from embeddings.training.sight import Described, judged
from embeddings.words.asked import understand

_QUERIES, _CHANGES = 200, 300
_FEWEST = 10
"""A value that fewer photos have for a label is not listed by itself."""
_FEWEST_TO_FIND = 4
"""Photos of the same kind in the colour that is asked for."""

Figures = dict[str, Any]


def measure_words(sight: Sight, photos: Sequence[LabelledPhoto], said: Described) -> Figures:
    """Measure on shop photos (n) that the model was not trained on. They are their own gallery.

    Args:
        sight: of the model.
        photos: their labels.
        said: what the model answers for them.
    """
    return {
        "photos": len(photos),
        "seen": {each.name: _seen(each, photos, said.outputs) for each in sight.attributes},
        "text": _text(sight, photos, said.vectors),
        "same_in": _same_in(sight, photos, said.vectors),
    }


def words_table(figures: Figures) -> str:
    """Format the figures for people."""
    lines = [f"{'':16} {'precision':>9} {'recall':>7} {'sure':>6} {'labels':>7}"]
    for name, seen in figures["seen"].items():
        lines.append(_row(f"seen.{name}", seen))
        lines += [_row(f"  {value}", each) for value, each in seen["values"].items()]
    text, same = figures["text"], figures["same_in"]
    lines += [
        "",
        f"text -> photo, {text['queries']} queries from titles: P@16 {text['P@16']:.3f} of {text['possible']:.3f} "
        f"possible; kind {text['kind']:.3f}, colour {text['colour']:.3f}, word {text['word']:.3f}",
        f"the same in another colour, {same['queries']} photos: in the colour {same['colour']:.3f} (without words "
        f"{same['plain_colour']:.3f}), of the kind {same['kind']:.3f} (without words {same['plain_kind']:.3f})",
    ]
    return "\n".join(lines)


def _row(name: str, figures: Figures) -> str:
    precision = "-" if figures["precision"] is None else f"{figures['precision']:.3f}"
    return f"{name:16} {precision:>9} {figures['recall']:7.3f} {figures['sure']:6} {figures['labels']:7}"


def _seen(attribute: Attribute, photos: Sequence[LabelledPhoto], outputs: NDArray[np.float32]) -> Figures:
    found = judged(attribute, outputs, photos)
    sure = found.probabilities >= np.array(attribute.thresholds)[found.places]

    def figures(rows: NDArray[np.bool_], labels: int) -> Figures:
        right, said = int(found.right[rows].sum()), int(rows.sum())
        precision = round(right / said, 3) if said else None
        return {"precision": precision, "recall": round(right / max(labels, 1), 3), "sure": said, "labels": labels}

    frequent = [place for place in np.argsort(-found.labels, kind="stable") if found.labels[place] >= _FEWEST]
    values = {
        attribute.values[place]: figures(sure & (found.places == place), int(found.labels[place])) for place in frequent
    }
    if attribute.several:  # a look that is never sure has no figures
        values = {value: each for value, each in values.items() if each["sure"]}
    return {**figures(sure, int(found.labels.sum())), "values": values}


def _text(sight: Sight, photos: Sequence[LabelledPhoto], vectors: Vectors) -> Figures:
    """Ask for kind, whom it is for, colour and look of what is most frequent, such as "striped tshirts men blue"."""
    labels = [(photo.type.lower(), photo.gender.lower(), photo.colour.lower()) for photo in photos]
    looks = [look_words(photo.title) for photo in photos]
    named = Counter((*label, look) for label, each in zip(labels, looks, strict=True) for look in sorted(each))
    names = ("kind", "gender", "colour", "words")
    known = [
        each for each, _ in named.most_common() if all(place in sight.places for place in zip(names, each, strict=True))
    ]
    figures = []
    for kind, gender, colour, look in known[:_QUERIES]:
        query = understand(f"{look} {kind} {gender} {colour}", sight).vector(sight)
        of_kind = np.array([label[0] == kind for label in labels])
        of_colour = np.array([label[2] == colour for label in labels])
        of_look = np.array([look in each for each in looks])
        top = np.argsort(-(vectors @ query), kind="stable")[:K]
        right = of_kind & of_colour & of_look
        possible = min(K, right.sum()) / K
        figures.append((right[top].mean(), possible, of_kind[top].mean(), of_colour[top].mean(), of_look[top].mean()))
    means = np.mean(figures, axis=0) if figures else np.zeros(5)
    told = zip(("P@16", "possible", "kind", "colour", "word"), means, strict=True)
    return {"queries": len(figures), **{name: round(float(value), 3) for name, value in told}}


def _same_in(sight: Sight, photos: Sequence[LabelledPhoto], vectors: Vectors) -> Figures:
    """Ask for photos "in blue" and so on, in colours that photos of the same kind have."""
    labels = [(photo.type.lower(), photo.colour.lower()) for photo in photos]
    there = Counter(labels)
    colours = sorted({colour for _, colour in labels if ("colour", colour) in sight.places})
    random = np.random.default_rng(0)
    changes = []
    for row in random.permutation(len(photos)):
        kind, own = labels[row]
        others = [each for each in colours if each != own and there[kind, each] >= _FEWEST_TO_FIND]
        if others:
            changes.append((int(row), others[random.integers(len(others))]))
        if len(changes) == _CHANGES:
            break

    def shares(query_of: Callable[[int, str], Vectors]) -> tuple[float, float]:
        found = []
        for row, colour in changes:
            scores = vectors @ query_of(row, colour)
            scores[row] = -np.inf
            top = [labels[each] for each in np.argsort(-scores, kind="stable")[:K]]
            found.append(
                (np.mean([label[1] == colour for label in top]), np.mean([label[0] == labels[row][0] for label in top]))
            )
        means = np.mean(found, axis=0) if found else np.zeros(2)
        return round(float(means[0]), 3), round(float(means[1]), 3)

    colour, kind = shares(lambda row, colour: understand(f"in {colour}", sight).vector(sight, vectors[row]))
    plain_colour, plain_kind = shares(lambda row, _: vectors[row])
    return {
        "queries": len(changes),
        "colour": colour,
        "kind": kind,
        "plain_colour": plain_colour,
        "plain_kind": plain_kind,
    }

"""Learns what a converted model can tell of a photo: when it is sure, and where in its vectors each value lies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.sight import NO_PART, Attribute, Sight
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.data.title_words import look_words

PRECISION = {"kind": 0.9, "gender": 0.9, "colour": 0.75, "words": 0.7}
"""The share of what a model is sure of that is to be right, on photos that it was not trained on.

Labels of colours are less certain than those of kinds: one shop's charcoal is another's grey. And a title that does not
say "striped" may stand beside stripes, which then count as wrong.
"""

_LEAST_RIGHT = 10
"""A look of which fewer are right is never sure: chance decides its threshold."""
_NO_LOOKS = frozenset({"basic", "fit", "floater", "high", "low", "mid", "pack", "semi", "short", "winter"})
"""Words of titles that help in training and say nothing that one could see."""

_RIDGE = 10.0
"""Photos that each value is assumed to add nothing to, so that a rare one does not get a wild direction."""
_NEVER = 2.0
"""The threshold of a value that no threshold makes precise enough."""

_LABELS: dict[str, Callable[[LabelledPhoto], frozenset[str]]] = {
    "kind": lambda photo: _one(photo.type),
    "gender": lambda photo: _one(photo.gender),
    "colour": lambda photo: _one(photo.colour),
    "words": lambda photo: look_words(photo.title) if photo.title else frozenset(),
}


class Described(NamedTuple):
    """What a model answers for photos (n)."""

    vectors: NDArray[np.float32]
    """(n, d)."""
    outputs: NDArray[np.float32]
    """(n, classes of all heads): its second output."""


def described(embedder: Embedder, pixels: NDArray[np.uint8]) -> Described:
    """Run a model on pixels (n, 160, 160, 3).

    Raises:
        ModelError: it has no second output.
    """
    vectors, outputs = [], []
    for photo in pixels:
        vector, beside = embedder.describe_pixels(photo)
        if beside is None:
            raise ModelError("the model answers no attributes beside its vector")
        vectors.append(vector)
        outputs.append(beside)
    return Described(np.stack(vectors), np.stack(outputs))


def attributes_of(heads: Mapping[str, Sequence[str]]) -> tuple[Attribute, ...]:
    """Return the attributes that heads tell, in the order of the second output. A kind is a type, and maybe a gender.

    Args:
        heads: the classes of `kind`, `colour` or `words`, in the order of the model's second output.
    """
    named: dict[str, list[str]] = {}
    nothing: list[str] = []
    for head, classes in heads.items():
        parts = {head: [each.partition(", ")[0] for each in classes]}
        if head == "kind":
            parts["gender"] = [each.partition(", ")[2] for each in classes]
        for name, each in parts.items():
            named[name] = nothing + ["" if value in _NO_LOOKS else value.lower() for value in each]
        nothing = nothing + [""] * len(classes)
    found = []
    for name, outputs in named.items():
        values = tuple(sorted(set(outputs) - {""}))
        places = [values.index(each) if each else NO_PART for each in outputs]
        padded = places + [NO_PART] * (len(nothing) - len(places))
        if values:
            found.append(Attribute(name, values, (_NEVER,) * len(values), np.array(padded, np.uint16)))
    return tuple(found)


def learn_directions(attributes: Sequence[Attribute], photos: Described) -> NDArray[np.float32]:
    """Return the direction in which each value moves a vector, other things being equal: unit rows (values, d).

    This is the ridge regression of vectors on the probabilities of all values together. The mean of blue photos would
    not do: it holds jeans as well as blue, since blue photos show jeans more often than others.
    """
    said = np.concatenate([_said(each, photos.outputs) for each in attributes], axis=1).astype(np.float64)
    said -= said.mean(axis=0)
    vectors = photos.vectors - photos.vectors.mean(axis=0, dtype=np.float64)
    weights = said.T @ said + _RIDGE * np.eye(said.shape[1])
    added = np.linalg.solve(weights, said.T @ vectors)
    lengths = np.linalg.norm(added, axis=1, keepdims=True)
    directions: NDArray[np.float32] = (added / np.maximum(lengths, 1e-9)).astype(np.float32)
    return directions


def with_thresholds(
    attributes: Sequence[Attribute], outputs: NDArray[np.float32], photos: Sequence[LabelledPhoto]
) -> tuple[Attribute, ...]:
    """Give each value the least threshold at which `PRECISION` of what the model is sure of is right.

    Each look has a threshold of its own. The others share one for each attribute: few photos show a rare kind.

    Args:
        attributes: of the model.
        outputs: its second output for photos (n) that it was not trained on.
        photos: their labels. Photos without one say nothing.
    """
    return tuple(replace(each, thresholds=_thresholds(each, judged(each, outputs, photos))) for each in attributes)


def _thresholds(attribute: Attribute, answers: "Judged") -> tuple[float, ...]:
    precision = PRECISION[attribute.name]
    if not attribute.several:
        return (_least(answers.probabilities, answers.right, precision, 1),) * len(attribute.values)
    return tuple(
        _least(answers.probabilities[own], answers.right[own], precision, _LEAST_RIGHT)
        for place in range(len(attribute.values))
        for own in [answers.places == place]
    )


def _least(probabilities: NDArray[np.float32], right: NDArray[np.bool_], precision: float, least_right: int) -> float:
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(right[order])
    last = np.append(np.diff(probabilities[order]) < 0, True)[: len(order)]  # of those with the same probability
    enough = np.flatnonzero(last & (hits >= precision * np.arange(1, len(order) + 1)) & (hits >= least_right))
    return float(np.floor(float(probabilities[order[enough[-1]]]) * 1000) / 1000) if len(enough) else _NEVER


def with_thresholds_of(sight: Sight, other: Embedder) -> Sight:
    """Return a sight with the thresholds of another model, which was measured.

    A look that the other does not know is never sure. Another value has the threshold that its attribute's share.

    Raises:
        ModelError: the other model lacks an attribute.
    """
    known = {each.name: dict(zip(each.values, each.thresholds, strict=True)) for each in _attributes(other)}
    if lacking := [each.name for each in sight.attributes if each.name not in known]:
        raise ModelError(f"the model to take thresholds from does not tell {', '.join(lacking)}")

    def taken(attribute: Attribute) -> tuple[float, ...]:
        given = known[attribute.name]
        otherwise = _NEVER if attribute.several else max(given.values())
        return tuple(given.get(value, otherwise) for value in attribute.values)

    return replace(sight, attributes=tuple(replace(each, thresholds=taken(each)) for each in sight.attributes))


def _attributes(embedder: Embedder) -> tuple[Attribute, ...]:
    return embedder.sight.attributes if embedder.sight else ()


class Judged(NamedTuple):
    """What an attribute may be sure of in photos, compared with their labels."""

    places: NDArray[np.intp]
    """Which of the attribute's values it is: of each photo the likeliest, or where there may be `several` each."""
    probabilities: NDArray[np.float32]
    right: NDArray[np.bool_]
    labels: NDArray[np.intp]
    """How many photos have each value for a label."""


def judged(attribute: Attribute, outputs: NDArray[np.float32], photos: Sequence[LabelledPhoto]) -> Judged:
    """Compare what an attribute says of photos (n), by the model's second output, with their labels."""
    labels = [_LABELS[attribute.name](photo) for photo in photos]
    known = [row for row, each in enumerate(labels) if each or (attribute.several and photos[row].title)]
    said = _said(attribute, outputs[known])
    truth = np.array([[value in labels[row] for value in attribute.values] for row in known], bool)
    truth = truth.reshape(said.shape)
    places = np.tile(np.arange(len(attribute.values)), (len(known), 1)) if attribute.several else said.argmax(axis=1)
    rows = np.arange(len(known))[:, None]
    picked = places.reshape(len(known), len(attribute.values) if attribute.several else 1)
    return Judged(places.ravel(), said[rows, picked].ravel(), truth[rows, picked].ravel(), truth.sum(axis=0))


def make_sight(
    heads: Mapping[str, Sequence[str]], trained: Described, unseen: Described, labels: Sequence[LabelledPhoto]
) -> Sight:
    """Make the sight of a model with these heads.

    Args:
        heads: see `attributes_of`.
        trained: photos to learn directions from.
        unseen: photos that it was not trained on, to choose thresholds by.
        labels: those of `unseen`.
    """
    attributes = attributes_of(heads)
    return Sight(with_thresholds(attributes, unseen.outputs, labels), learn_directions(attributes, trained))


def _said(attribute: Attribute, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of an attribute's values (n, values)."""
    part = attribute.of != NO_PART
    adds = np.eye(len(attribute.values), dtype=np.float32)[attribute.of[part]]
    said: NDArray[np.float32] = outputs[:, part] @ adds
    return said


def _one(label: str) -> frozenset[str]:
    return frozenset({label.lower()} - {""})

"""Adds to a photo's vector what the heads of a training say of it, and lets the model answer that beside the vector.

Two photos of one category lie near each other, but a garment of another category with the same print may lie nearer.
The heads tell categories apart better than distances do, so their answers become part of the vector. The part for
items is whitened halfway. That weakens what it knew of category and colour, which the heads supply, and strengthens
what tells items apart; whitening it wholly would also strengthen noise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.training.evaluation.metrics import Floats, Vectors
from embeddings.training.items_and_kinds import items_and_kinds, read_by
from embeddings.training.losses import SCALE
from embeddings.training.trainee import WORDS_BIASES

Tensor = Any

WEIGHTS = {"items": 1.3, "category": 1.4, "kind": 0.7, "colour": 0.6, "palette": 0.7, "words": 0.3}
"""The weight of each part of the vector: items, and each head's answers. Other heads have no part in it.

They were chosen on the validation part. With more weight on the heads, searches lose the item. The part for kinds adds
nothing to what its heads say.
"""

ANSWERED = ("kind", "colour", "words")
"""The heads whose probabilities a file can answer beside its vector, in their order."""

_NOTHING = 1e-6  # an axis of less than this share of the greatest variance is rounding


@dataclass(frozen=True)
class Whitening:
    """Principal axes along which vectors vary more evenly: (x - mean) @ axes has the root of their variances."""

    mean: Floats
    """(d,)."""
    axes: Floats
    """(d, r): eigenvectors of the covariance as columns, each divided by the fourth root of its variance."""

    @classmethod
    def fit(cls, vectors: Vectors) -> "Whitening":
        """Fit to vectors (n, d) that nothing is measured with; axes without variance are dropped."""
        wide = vectors.astype(np.float64)
        variances, axes = np.linalg.eigh(np.cov(wide, rowvar=False))
        kept = variances > _NOTHING * variances.max()
        return cls(wide.mean(axis=0), axes[:, kept] / variances[kept] ** 0.25)


def with_attributes(embedder: keras.Model, proxies: Mapping[str, NDArray[np.float32]], vectors: Vectors) -> keras.Model:
    """Build the model to convert: it puts the heads' answers into the vector, and some beside it. Nothing is trained.

    Args:
        embedder: from pixels (n, 160, 160, 3) to vectors (n, 3 d / 2), as `build_embedder` makes it.
        proxies: the proxies of each head that the run was trained for, see `Trainee.proxies`.
        vectors: the embedder's vectors (m, 3 d / 2) of photos it was trained on, to which axes are fitted.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d). If there are heads that can be `answered`, its second
        output is their probabilities (n, classes), side by side in that order.
    """
    items, _ = items_and_kinds(vectors)
    whitening = Whitening.fit(items)
    axes = _principal(ops.convert_to_numpy(_joined(described(vectors, proxies, whitening))), items.shape[1])
    pixels = keras.Input(embedder.input_shape[1:], name="pixels")
    embedded = embedder(pixels)
    projected = ops.matmul(_joined(described(embedded, proxies, whitening)), axes)
    outputs = [keras.layers.UnitNormalization(name="embedding")(projected)]
    if heads := answered(proxies):
        said = probabilities(embedded, proxies)
        beside = ops.concatenate([said[head] for head in heads], axis=-1)
        outputs.append(keras.layers.Identity(name="attributes")(beside))
    return keras.Model(pixels, outputs, name="garment")


def described(vectors: Tensor, proxies: Mapping[str, NDArray[np.float32]], whitening: Whitening) -> dict[str, Tensor]:
    """Return the parts of vectors (n, 3 d / 2) by name: items whitened halfway, and the answers of each head.

        items: white(x),  head: sqrt(p_head);  p_head = softmax(s <x, proxies_head>),  white(x) of unit length
        words: sqrt(p) of unit length,  p = sigmoid(s <x, proxies> + biases)

    The inner product of the roots of two distributions is their Bhattacharyya coefficient: 1 if two photos surely show
    one class or are in doubt between the same ones, 0 if they share none.
    """
    items, _ = items_and_kinds(vectors)
    white = ops.matmul(items - whitening.mean.astype(np.float32), whitening.axes.astype(np.float32))
    said = {head: ops.sqrt(each) for head, each in probabilities(vectors, proxies).items()}
    if "words" in said:
        said["words"] = ops.normalize(said["words"], axis=-1)
    return {"items": ops.normalize(white, axis=-1), **said}


def probabilities(vectors: Tensor, proxies: Mapping[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """Return what each head says of vectors (n, 3 d / 2), by name: (n, classes), 0-1.

    Each row sums to 1, except for `words`: a photo may have several or none.
    """
    found = {}
    for head, directions in proxies.items():
        if head == WORDS_BIASES:
            continue
        units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        logits = ops.matmul(read_by(head, vectors), SCALE * units.T)
        found[head] = ops.sigmoid(logits + proxies[WORDS_BIASES]) if head == "words" else ops.softmax(logits, axis=-1)
    return found


def answered(heads: Collection[str]) -> list[str]:
    """Return those of a run's heads whose probabilities the model answers beside its vector, in their order."""
    return [head for head in ANSWERED if head in heads]


def _joined(parts: Mapping[str, Tensor]) -> Tensor:
    """Join parts to vectors (n, w) in which each has its weight; those without a weight are left out."""
    return ops.concatenate([WEIGHTS[part] * said for part, said in parts.items() if part in WEIGHTS], axis=-1)


def _principal(wide: Floats, dimension: int) -> NDArray[np.float32]:
    """Return the axes (w, dimension) that best keep inner products of vectors (m, w); cosines need no centre."""
    _, axes = np.linalg.eigh(wide.T.astype(np.float64) @ wide)
    return axes[:, -dimension:].astype(np.float32)

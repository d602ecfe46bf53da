"""Adds to a photo's vector what the heads of a training say of it: category, kind and colours.

Two photos of one category lie near each other, but a garment of another category with the same print may lie nearer.
The heads tell categories apart better than distances do, so their answers become part of the vector. The embedding is
whitened. Whitening removes what it knew of category and colour, which the heads supply, and leaves what tells items
apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.training.evaluation.metrics import Floats, Vectors
from embeddings.training.halves import halves, read_by
from embeddings.training.losses import SCALE
from embeddings.training.trainee import SMOOTHED, WORDS_BIASES

Tensor = Any

WEIGHTS = {"items": 1.0, "category": 1.4, "kind": 0.85, "colour": 0.95, "palette": 0.75, "words": 0.3}
"""What the embedding (`items`) and each head count. Chosen on the validation part: more of the heads, and the item
itself is lost. `words` has not been chosen yet. A head that is not named here is not part of the vector."""

ANSWERED = ("kind", "colour", "words")
"""The heads whose probabilities a file can answer beside its vector, in their order."""

SHARPNESS = dict.fromkeys(SMOOTHED, 1.5)
"""Of the heads whose labels are smoothed in training, which leaves them more in doubt than they are mistaken; else 1.
Chosen on the validation part."""


_NOTHING = 1e-6  # an axis of less than this share of the greatest variance is rounding


@dataclass(frozen=True)
class Whitening:
    """Principal axes that give vectors the same variance along every axis: (x - mean) @ axes."""

    mean: Floats
    """(d,)."""
    axes: Floats
    """(d, r): eigenvectors of the covariance as columns, each divided by the root of its variance."""

    @classmethod
    def fit(cls, vectors: Vectors) -> "Whitening":
        """Fit to vectors (n, d) that nothing is measured with; axes without variance are dropped."""
        wide = vectors.astype(np.float64)
        variances, axes = np.linalg.eigh(np.cov(wide, rowvar=False))
        kept = variances > _NOTHING * variances.max()
        return cls(wide.mean(axis=0), axes[:, kept] / np.sqrt(variances[kept]))


@dataclass(frozen=True)
class Trained:
    """The result of one run."""

    embedder: keras.Model
    """(n, 160, 160, 3) to unit vectors (n, d)."""
    proxies: Mapping[str, NDArray[np.float32]]
    """The proxies (classes, d) of each head that the run was trained for."""
    vectors: Vectors
    """The embedder's vectors (m, d) of photos it was trained on; axes are fitted to them."""
    items: bool = True
    """Whether it was trained to tell items apart. If not, it has nothing to say but its heads' words."""
    separate: bool = False
    """Whether its vectors have two halves, see `halves`."""

    @cached_property
    def whitening(self) -> Whitening | None:
        """Of its vectors, if they tell items apart."""
        return Whitening.fit(halves(self.vectors, self.separate)[0]) if self.items else None

    def describe(self, vectors: Tensor) -> dict[str, Tensor]:
        """What `described` makes of its embedder's vectors."""
        return described(vectors, self.proxies, self.whitening, self.separate)


def with_attributes(runs: Sequence[Trained]) -> keras.Model:
    """The embedder with its heads' words in the vector, which stays as long as it was: no weight is trained.

    Of several runs, trained on the same photos from other seeds or for other losses, all that they say is in one
    vector: each is mistaken elsewhere, and the inner product of two photos is, part by part, the mean over the runs
    that have the part. Their embedders have different names, and their `vectors` are of the same photos.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d), d being the length of one half where vectors have two.
    """
    wide = ops.convert_to_numpy(_side_by_side([run.describe(run.vectors) for run in runs]))
    pixels = keras.Input(runs[0].embedder.input_shape[1:], name="pixels")
    words = _side_by_side([run.describe(run.embedder(pixels)) for run in runs])
    dimension = halves(runs[0].vectors, runs[0].separate)[0].shape[1]
    projected = ops.matmul(words, _principal(wide, dimension))
    return keras.Model(pixels, keras.layers.UnitNormalization(name="embedding")(projected), name="garment")


def described(
    vectors: Tensor, proxies: Mapping[str, NDArray[np.float32]], whitening: Whitening | None, separate: bool = False
) -> dict[str, Tensor]:
    """Each vector (n, d), whitened, and what each head says of it, by name:

        items: white(x),  head: sqrt(p_head);  p_head = softmax(s_head <x, proxies_head>),  white(x) of unit length
        words: sqrt(p) of unit length,  p = sigmoid(s <x, proxies> + biases)

    The inner product of two roots of distributions is their Bhattacharyya coefficient: 1 where two photos are surely
    of one class or doubtful between the same ones, 0 where they share none.
    """
    parts = {}
    if whitening is not None:
        items, _ = halves(vectors, separate)
        white = ops.matmul(items - whitening.mean.astype(np.float32), whitening.axes.astype(np.float32))
        parts["items"] = ops.normalize(white, axis=-1)
    parts |= {
        head: ops.sqrt(said) for head, said in probabilities(vectors, proxies, separate).items() if head in WEIGHTS
    }
    if "words" in parts:
        parts["words"] = ops.normalize(parts["words"], axis=-1)
    return parts


def probabilities(
    vectors: Tensor, proxies: Mapping[str, NDArray[np.float32]], separate: bool = False
) -> dict[str, Tensor]:
    """Return what each head says of vectors (n, d), by name: (n, classes), 0-1.

    Each row sums to 1, but for `words`, of which a photo may have several or none.
    """
    found = {}
    for head, directions in proxies.items():
        if head == WORDS_BIASES:
            continue
        units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        logits = ops.matmul(read_by(head, vectors, separate), SCALE * SHARPNESS.get(head, 1.0) * units.T)
        found[head] = ops.sigmoid(logits + proxies[WORDS_BIASES]) if head == "words" else ops.softmax(logits, axis=-1)
    return found


def answering_attributes(model: keras.Model, runs: Sequence[Trained]) -> keras.Model:
    """Give a model of `with_attributes` a second output: what the heads say of kind, colour and words, side by side.

    Of several runs, the mean of those that have the head. The classes are in the order of `ANSWERED`.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d) and probabilities (n, classes).
    """
    said = [probabilities(run.embedder(model.input), run.proxies, run.separate) for run in runs]
    means = [ops.mean(ops.stack([each[head] for each in said if head in each]), axis=0) for head in answered(runs)]
    beside = keras.layers.Identity(name="attributes")(ops.concatenate(means, axis=-1))
    return keras.Model(model.input, [model.output, beside], name=model.name)


def answered(runs: Sequence[Trained]) -> list[str]:
    """Return the heads that a second output of these runs has, in its order."""
    return [head for head in ANSWERED if any(head in run.proxies for run in runs)]


def _side_by_side(runs: Sequence[Mapping[str, Tensor]]) -> Tensor:
    """All parts of all runs (n, w), each counting as it should however many runs have it."""
    saying = Counter(part for run in runs for part in run)
    return ops.concatenate(
        [WEIGHTS[part] / saying[part] ** 0.5 * said for run in runs for part, said in run.items()], axis=-1
    )


def _principal(wide: Floats, dimension: int) -> NDArray[np.float32]:
    """The axes (w, dimension) that keep most of the inner products of such vectors (m, w). No centre: cosines count."""
    _, axes = np.linalg.eigh(wide.T.astype(np.float64) @ wide)
    return axes[:, -dimension:].astype(np.float32)

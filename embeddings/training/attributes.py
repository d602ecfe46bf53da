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
"""The weights of the embedding (`items`) and of each head in the vector; other heads have no part in it.

They were chosen on the validation part, except for `words`. With more weight on the heads, searches lose the item.
"""

ANSWERED = ("kind", "colour", "words")
"""The heads whose probabilities a file can answer beside its vector, in their order."""

SHARPNESS = dict.fromkeys(SMOOTHED, 1.5)
"""The factor of each head's scale, 1 if not named. Smoothed labels leave a head less sure than it is right.

Chosen on the validation part.
"""


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
    """From pixels (n, 160, 160, 3) to unit vectors (n, d)."""
    proxies: Mapping[str, NDArray[np.float32]]
    """The proxies (classes, d) of each head that the run was trained for."""
    vectors: Vectors
    """The embedder's vectors (m, d) of photos it was trained on; axes are fitted to them."""
    items: bool = True
    """Whether it was trained to tell items apart. If not, only its heads' answers are used."""
    separate: bool = False
    """Whether its vectors have two halves, see `halves`."""

    @cached_property
    def whitening(self) -> Whitening | None:
        """The whitening of the vectors, if they tell items apart."""
        return Whitening.fit(halves(self.vectors, self.separate)[0]) if self.items else None

    def describe(self, vectors: Tensor) -> dict[str, Tensor]:
        """Apply `described` to vectors of the embedder."""
        return described(vectors, self.proxies, self.whitening, self.separate)


def with_attributes(runs: Sequence[Trained]) -> keras.Model:
    """Build an embedder with the heads' answers in its vector, which stays as long as before. Nothing is trained.

    Several runs, trained on the same photos with other seeds or losses, share one vector, because each makes other
    mistakes. The inner product of two photos is, part by part, the mean over the runs that have the part. The embedders
    must have different names, and the runs' `vectors` must be of the same photos.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d); if vectors have two halves, d is the length of one.
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
    """Return the parts of vectors (n, d), by name: the vectors whitened, and each head's answers.

        items: white(x),  head: sqrt(p_head);  p_head = softmax(s_head <x, proxies_head>),  white(x) of unit length
        words: sqrt(p) of unit length,  p = sigmoid(s <x, proxies> + biases)

    The inner product of the roots of two distributions is their Bhattacharyya coefficient: 1 if two photos surely show
    one class or are in doubt between the same ones, 0 if they share none.
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

    Each row sums to 1, except for `words`: a photo may have several or none.
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

    The answer is the mean over the runs that have the head. The heads are in the order of `ANSWERED`.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d) and probabilities (n, classes).
    """
    said = [probabilities(run.embedder(model.input), run.proxies, run.separate) for run in runs]
    means = [ops.mean(ops.stack([each[head] for each in said if head in each]), axis=0) for head in answered(runs)]
    beside = keras.layers.Identity(name="attributes")(ops.concatenate(means, axis=-1))
    return keras.Model(model.input, [model.output, beside], name=model.name)


def answered(runs: Sequence[Trained]) -> list[str]:
    """Return the heads of the second output for these runs, in order."""
    return [head for head in ANSWERED if any(head in run.proxies for run in runs)]


def _side_by_side(runs: Sequence[Mapping[str, Tensor]]) -> Tensor:
    """Join all parts of all runs (n, w), so that a part's weight does not depend on how many runs have it."""
    saying = Counter(part for run in runs for part in run)
    return ops.concatenate(
        [WEIGHTS[part] / saying[part] ** 0.5 * said for run in runs for part, said in run.items()], axis=-1
    )


def _principal(wide: Floats, dimension: int) -> NDArray[np.float32]:
    """Return the axes (w, dimension) that best keep inner products of vectors (m, w); cosines need no centre."""
    _, axes = np.linalg.eigh(wide.T.astype(np.float64) @ wide)
    return axes[:, -dimension:].astype(np.float32)

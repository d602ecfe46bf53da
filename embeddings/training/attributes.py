"""What the heads of a training say of a photo - its category, kind and colours - made part of its vector.

Two photos of one category lie near each other, but a garment of another category with the same print may lie nearer.
The heads tell categories apart better than the distances do; so the vector carries what they say. The embedding itself
is whitened, which alone would ruin it: what it knew of category and colour the heads say now, and whitened it tells
items apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.training.losses import SCALE
from embeddings.training.model import SMOOTHED
from embeddings.training.tasks import Floats, Vectors
from embeddings.training.tricks import Whitening

Tensor = Any

WEIGHTS = {"category": 1.3, "kind": 0.8, "colour": 0.95, "palette": 0.8}
"""What each head counts beside the embedding's 1. Chosen on the validation part: more, and the item itself is lost."""

SHARPNESS = dict.fromkeys(SMOOTHED, 1.5)
"""Of the heads whose labels are smoothed in training, which leaves them more in doubt than they are mistaken; else 1.
Chosen on the validation part."""


@dataclass(frozen=True)
class Trained:
    """What one run has made."""

    embedder: keras.Model
    """(n, 160, 160, 3) to unit vectors (n, d)."""
    proxies: Mapping[str, NDArray[np.float32]]
    """(classes, d) of each head."""
    vectors: Vectors
    """(m, d), the embedder's of photos it was trained on; axes are fitted to them."""

    @cached_property
    def whitening(self) -> Whitening:
        """Of its vectors."""
        return Whitening.fit(self.vectors)

    def describe(self, vectors: Tensor) -> Tensor:
        """What `described` makes of its embedder's vectors."""
        return described(vectors, self.proxies, self.whitening)


def with_attributes(runs: Sequence[Trained]) -> keras.Model:
    """The embedder with its heads' words in the vector, which stays as long as it was: no weight is trained.

    Of several runs, trained on the same photos from other seeds, all that they say is in one vector: each is mistaken
    elsewhere, and the inner product of two photos is the sum over runs. Their embedders have different names, and their
    `vectors` are of the same photos.

    Returns:
        A model from (n, 160, 160, 3) to unit vectors (n, d).
    """
    wide = ops.convert_to_numpy(ops.concatenate([run.describe(run.vectors) for run in runs], axis=-1))
    pixels = keras.Input(runs[0].embedder.input_shape[1:], name="pixels")
    words = ops.concatenate([run.describe(run.embedder(pixels)) for run in runs], axis=-1)
    projected = ops.matmul(words, _principal(wide, runs[0].vectors.shape[1]))
    return keras.Model(pixels, keras.layers.UnitNormalization(name="embedding")(projected), name="garment")


def described(vectors: Tensor, proxies: Mapping[str, NDArray[np.float32]], whitening: Whitening) -> Tensor:
    """Each vector (n, d), whitened, and beside it what each head says: (n, r + all classes).

        [ white(x),  w_1 sqrt(p_1),  w_2 sqrt(p_2), ... ],  p_h = softmax(s_h <x, proxies_h>),  white(x) of unit length

    The inner product of two roots of distributions is their Bhattacharyya coefficient: 1 where two photos are surely
    of one class or doubtful between the same ones, 0 where they share none.
    """
    white = ops.matmul(vectors - whitening.mean.astype(np.float32), whitening.axes.astype(np.float32))
    parts = [ops.normalize(white, axis=-1)]
    for head, weight in WEIGHTS.items():
        if head in proxies:
            directions = proxies[head] / np.linalg.norm(proxies[head], axis=1, keepdims=True)
            scale = SCALE * SHARPNESS.get(head, 1.0)
            said = ops.softmax(ops.matmul(vectors, scale * directions.T), axis=-1)
            parts.append(weight * ops.sqrt(said))
    return ops.concatenate(parts, axis=-1)


def _principal(wide: Floats, dimension: int) -> NDArray[np.float32]:
    """The axes (w, dimension) that keep most of the inner products of such vectors (m, w). No centre: cosines count."""
    _, axes = np.linalg.eigh(wide.T.astype(np.float64) @ wide)
    return axes[:, -dimension:].astype(np.float32)

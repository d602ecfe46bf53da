"""The network: it turns pixels 0-255 into a vector of unit length."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import BACKBONES
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.items_and_kinds import lengths
from embeddings.training.packed_weights import SUFFIX, load_packed

Tensor = Any

# Keras builds MobileNetV2 with 0.999, which forgets so slowly that the moving averages are wrong after a short run.
# At 0.95 they cover the last twenty batches, and re-estimating them changes no figure.
_BATCH_NORM_MOMENTUM = 0.95

_EMBED_AT_ONCE = 64

_BLOCK_ENDS = ("_project_BN", "_project_bn", "_Add", "_add")


def build_embedder(
    weights: str | Path | None,
    dimension: int,
    frozen_through: str,
    backbone: str = "MobileNetV2",
    side: int = INPUT_SIZE,
    bfloat16: bool = False,
) -> keras.Model:
    """Build the embedder: a backbone, weighted average pooling, and a projection each for `items_and_kinds`.

    A batch-norm neck and unit length follow each projection. The neck has no centre of its own (Luo et al. 2019, "Bag
    of Tricks"), which spreads the cosines.

    Args:
        weights: a file of the backbone's weights without top (Keras's .h5, or .npz, see `packed_weights`), "imagenet"
            to download them, or None for random ones.
        dimension: the length of the part for items, an even number.
        frozen_through: the name of the last layer that keeps its weights and statistics, or "" to train all.
        backbone: one of `BACKBONES`. MobileNetV2 is the fastest as int8, and MobileNetV3's int8 is slower than its
            float32.
        side: the side of the pixels that the model takes. The weights fit any side.
        bfloat16: whether the backbone computes in bfloat16. Weights, pooling and vector stay float32.

    Returns:
        A model from (n, side, side, 3), RGB 0-255, to unit vectors (n, 3 / 2 * dimension), float32.

    Raises:
        ModelError: the weights cannot be loaded, or no layer has that name.
    """
    packed = Path(weights) if weights is not None and str(weights).endswith(SUFFIX) else None
    try:
        with _computing_in("mixed_bfloat16" if bfloat16 else "float32"):
            network = getattr(keras.applications, backbone)(
                include_top=False,
                input_shape=(side, side, 3),
                weights=None if weights is None or packed else str(weights),
            )
    except Exception as error:  # Keras raises plain Exception when a download fails
        raise ModelError(f"cannot load {backbone} weights from {weights}: {error}") from error
    if packed:
        load_packed(network, packed)
    _freeze(network, frozen_through)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM

    pixels = keras.Input((side, side, 3), name="pixels")
    features = network(pixels if BACKBONES[backbone] else keras.layers.Rescaling(1 / 127.5, -1.0)(pixels))
    pooled = _pooled(features)
    both = [_projected(pooled, length, part) for part, length in lengths(dimension).items()]
    unit = keras.layers.UnitNormalization(name="embedding")(keras.layers.Concatenate()(both))
    return keras.Model(pixels, unit, name="garment")


def _projected(pooled: Tensor, length: int, part: str) -> Tensor:
    """Add a projection with its neck and unit length: (n, c) -> (n, length)."""
    projected = keras.layers.Dense(length, use_bias=False, name=f"projection_{part}")(pooled)
    neck = keras.layers.BatchNormalization(center=False, momentum=_BATCH_NORM_MOMENTUM, name=f"neck_{part}")(projected)
    return keras.layers.UnitNormalization(name=part)(neck)


@contextmanager
def _computing_in(policy: str) -> Iterator[None]:
    """Build layers with a Keras policy, which sets the types that they compute in."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def embed_with(model: keras.Model, pixels: NDArray[np.uint8]) -> Vectors:
    """Return unit vectors (n, d) of pixels (n, side, side, 3), with batch norm at its averages.

    A second output, of attributes, is left out.
    """
    vectors = model if len(model.outputs) == 1 else keras.Model(model.input, model.outputs[0])
    parts = [
        ops.convert_to_numpy(vectors.predict_on_batch(pixels[start : start + _EMBED_AT_ONCE]))
        for start in range(0, len(pixels), _EMBED_AT_ONCE)
    ]
    return np.concatenate(parts)


def _pooled(features: Tensor) -> Tensor:
    """Average over places (n, h, w, c) -> (n, c), each weighted by how much it looks like garment.

    The weights start equal, as in plain average pooling. Training can then discount a photo's bed and floor.
    """
    places = features.shape[1] * features.shape[2]
    scores = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="garment_here")(features)
    weights = keras.layers.Softmax(axis=1)(keras.layers.Reshape((places, 1))(scores))
    listed = keras.layers.Reshape((places, features.shape[3]))(features)
    return keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, listed]))


def _freeze(network: keras.Model, last: str) -> None:
    names = [layer.name for layer in network.layers]
    if last and last not in names:
        ends = ", ".join(name for name in names if name.endswith(_BLOCK_ENDS))
        raise ModelError(f"no layer {last!r} to freeze through; blocks end with {ends}")
    for layer in network.layers[: names.index(last) + 1 if last else 0]:
        layer.trainable = False

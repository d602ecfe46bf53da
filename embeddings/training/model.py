"""The network: pixels 0-255 in, a vector of unit length out. And the heads that only training needs."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from embeddings.errors import ModelError
from embeddings.preprocess import INPUT_SIZE
from embeddings.training.batches import HEADS
from embeddings.training.losses import cosine_softmax, info_nce

Tensor = Any

# Keras builds MobileNetV2 with 0.999, which takes thousands of steps to forget: after a short run the moving averages
# are wrong. At 0.95 they are those of the last twenty batches, and re-estimating them moves no figure.
_BATCH_NORM_MOMENTUM = 0.95

_SCALE = 16.0
_TEMPERATURE = 0.07
_MEMORY = 2048
_WEIGHTS = {"category": 2.0, "kind": 1.0, "colour": 1.0, "palette": 0.7, "items": 1.0}


def build_embedder(weights: str | Path | None, dimension: int, frozen_through: str) -> keras.Model:
    """MobileNetV2 1.0, average pooling, projection, BN-neck, unit length.

    The neck normalises without a centre of its own (Luo et al. 2019, "Bag of Tricks"), so that cosines spread out.

    Args:
        weights: a file of MobileNetV2 weights without top, "imagenet" (downloads), or None for random ones.
        dimension: length of the vector.
        frozen_through: name of the last layer that keeps its weights and statistics, or "" to train all.

    Returns:
        A model from (n, 160, 160, 3), RGB 0-255, to (n, dimension), float32.

    Raises:
        ModelError: the weights cannot be loaded, or no layer has that name.
    """
    try:
        backbone = keras.applications.MobileNetV2(
            include_top=False,
            input_shape=(INPUT_SIZE, INPUT_SIZE, 3),
            weights=None if weights is None else str(weights),
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load MobileNetV2 weights from {weights}: {error}") from error
    _freeze(backbone, frozen_through)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM

    pixels = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), name="pixels")
    features = backbone(keras.layers.Rescaling(1 / 127.5, -1.0)(pixels))
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    projected = keras.layers.Dense(dimension, use_bias=False, name="projection")(pooled)
    neck = keras.layers.BatchNormalization(center=False, momentum=_BATCH_NORM_MOMENTUM, name="neck")(projected)
    unit = keras.layers.UnitNormalization(name="embedding")(neck)
    return keras.Model(pixels, unit, name="garment")


def _freeze(backbone: keras.Model, last: str) -> None:
    names = [layer.name for layer in backbone.layers]
    if last and last not in names:
        ends = ", ".join(name for name in names if name.endswith("_project_BN"))
        raise ModelError(f"no layer {last!r} to freeze through; blocks end with {ends}")
    for layer in backbone.layers[: names.index(last) + 1 if last else 0]:
        layer.trainable = False


class Trainee(keras.Model):  # type: ignore[misc]  # Keras has no types
    """The embedder with what training adds: proxies of every head, and the memory of embeddings seen lately."""

    def __init__(self, embedder: keras.Model, classes: dict[str, tuple[str, ...]], pairs: int) -> None:
        """Make proxies for `classes[head]` of each head; batches hold `pairs` pairs first (see `Batch`)."""
        super().__init__(name="trainee")
        self.embedder = embedder
        self._pairs = pairs
        dimension = embedder.output_shape[-1]
        self._proxies = {
            head: self.add_weight(
                shape=(len(classes[head]), dimension), initializer="random_normal", name=f"proxies_{head}"
            )
            for head in HEADS
        }
        self._memory = self.add_weight(shape=(_MEMORY, dimension), initializer="zeros", trainable=False, name="memory")
        self._memory_items = self.add_weight(
            shape=(_MEMORY,),
            initializer=keras.initializers.Constant(-1),
            dtype="int32",
            trainable=False,
            name="memory_items",
        )
        self._parts = {part: keras.metrics.Mean(name=part) for part in _WEIGHTS}

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Embed images (n, 160, 160, 3)."""
        return self.embedder(images, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The weighted sum of all losses; `y` holds the targets of each head and `items`."""
        del x, sample_weight, training
        phone, shop = y_pred[: self._pairs], y_pred[self._pairs : 2 * self._pairs]
        losses = {head: self._classified(head, y_pred, y[head]) for head in HEADS}
        same = ops.cast(ops.equal(y["items"][:, None], self._memory_items[None, :]), "float32")
        nothing, no_item = self._memory[:0], same[:, :0]
        losses["items"] = 0.5 * (
            info_nce(phone, shop, self._memory, same, _TEMPERATURE)
            + info_nce(shop, phone, nothing, no_item, _TEMPERATURE)
        )
        self._remember(ops.stop_gradient(shop), y["items"])
        for part, loss in losses.items():
            self._parts[part].update_state(loss)
        return sum(_WEIGHTS[part] * loss for part, loss in losses.items())

    def _classified(self, head: str, embeddings: Tensor, targets: Tensor) -> Tensor:
        """Each domain counts the same, however many of the rows are its own: shop photos are many and easy."""
        shop = 2 * self._pairs
        return 0.5 * (
            cosine_softmax(embeddings[:shop], self._proxies[head], targets[:shop], _SCALE)
            + cosine_softmax(embeddings[shop:], self._proxies[head], targets[shop:], _SCALE)
        )

    def _remember(self, embeddings: Tensor, items: Tensor) -> None:
        """Newest first; the oldest fall out."""
        self._memory.assign(ops.concatenate([embeddings, self._memory[: -self._pairs]]))
        self._memory_items.assign(ops.concatenate([ops.cast(items, "int32"), self._memory_items[: -self._pairs]]))

"""The network: pixels 0-255 in, a vector of unit length out. And the heads that only training needs."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from embeddings.errors import ModelError
from embeddings.preprocess import INPUT_SIZE
from embeddings.training.batches import HEADS
from embeddings.training.losses import cosine_softmax, info_nce, neighbour_softmax

Tensor = Any

# Keras builds MobileNetV2 with 0.999, which takes thousands of steps to forget: after a short run the moving averages
# are wrong. At 0.95 they are those of the last twenty batches, and re-estimating them moves no figure.
_BATCH_NORM_MOMENTUM = 0.95

_SCALE = 16.0
_TEMPERATURE = 0.07
_NEIGHBOURS_TEMPERATURE = 0.1
_MEMORY = 2048
_NOTHING = -1
_WEIGHTS = {"category": 1.5, "kind": 1.0, "colour": 0.7, "palette": 0.5, "items": 1.0, "neighbours": 1.0}

_ALIKE = ("category", "kind", "palette")  # the heads whose labels say how good an answer is
_ANY_COLOUR = 0.1


def build_embedder(weights: str | Path | None, dimension: int, frozen_through: str) -> keras.Model:
    """MobileNetV2 1.0, weighted average pooling, projection, BN-neck, unit length.

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
    pooled = _pooled(features)
    projected = keras.layers.Dense(dimension, use_bias=False, name="projection")(pooled)
    neck = keras.layers.BatchNormalization(center=False, momentum=_BATCH_NORM_MOMENTUM, name="neck")(projected)
    unit = keras.layers.UnitNormalization(name="embedding")(neck)
    return keras.Model(pixels, unit, name="garment")


def _pooled(features: Tensor) -> Tensor:
    """Average over places (n, h, w, c) -> (n, c), each weighted by how much it looks like garment.

    The weights start equal, which is plain average pooling. A photo's bed and floor need not count.
    """
    places = features.shape[1] * features.shape[2]
    scores = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="garment_here")(features)
    weights = keras.layers.Softmax(axis=1)(keras.layers.Reshape((places, 1))(scores))
    listed = keras.layers.Reshape((places, features.shape[3]))(features)
    return keras.layers.Flatten()(keras.layers.Dot(axes=1)([weights, listed]))


def _freeze(backbone: keras.Model, last: str) -> None:
    names = [layer.name for layer in backbone.layers]
    if last and last not in names:
        ends = ", ".join(name for name in names if name.endswith("_project_BN"))
        raise ModelError(f"no layer {last!r} to freeze through; blocks end with {ends}")
    for layer in backbone.layers[: names.index(last) + 1 if last else 0]:
        layer.trainable = False


class Trainee(keras.Model):  # type: ignore[misc]  # Keras has no types
    """The embedder with what training adds: proxies of every head, and the memory of shop views seen lately."""

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
        self._memory = {
            "vectors": self._remembered("vectors", dimension),
            **{head: self._remembered(head, len(classes[head])) for head in _ALIKE},
        }
        self._memory_items = self.add_weight(
            shape=(_MEMORY,),
            initializer=keras.initializers.Constant(_NOTHING),
            dtype="int32",
            trainable=False,
            name="memory_items",
        )
        self._parts = {part: keras.metrics.Mean(name=part) for part in _WEIGHTS}

    def _remembered(self, name: str, width: int) -> keras.Variable:
        return self.add_weight(shape=(_MEMORY, width), initializer="zeros", trainable=False, name=f"memory_{name}")

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Embed images (n, 160, 160, 3)."""
        return self.embedder(images, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The weighted sum of all losses; `y` holds the targets of each head, `items` and `consumer`."""
        del x, sample_weight, training
        y = {name: ops.convert_to_tensor(value) for name, value in y.items()}  # torch hands numpy through
        # Copies: torch refuses to differentiate through what is then overwritten.
        memory = {name: ops.copy(variable) for name, variable in self._memory.items()}
        memory_items = ops.copy(self._memory_items)
        same = ops.cast(ops.equal(y["items"][:, None], memory_items[None, :]), "float32")
        empty = ops.cast(ops.equal(memory_items, _NOTHING), "float32")[None, :]

        losses = {head: self._classified(head, y_pred, y[head], y["consumer"]) for head in HEADS}
        phone, shop = y_pred[: self._pairs], y_pred[self._pairs : 2 * self._pairs]
        same_item = same[: self._pairs]
        nothing, no_item = memory["vectors"][:0], same_item[:, :0]
        losses["items"] = 0.5 * (
            info_nce(phone, shop, memory["vectors"], same_item, _TEMPERATURE)
            + info_nce(shop, phone, nothing, no_item, _TEMPERATURE)
        )
        losses["neighbours"] = neighbour_softmax(
            y_pred, memory["vectors"], _alikeness(y, memory), ops.maximum(same, empty), _NEIGHBOURS_TEMPERATURE
        )
        self._remember({"vectors": ops.stop_gradient(y_pred), **y}, memory, memory_items)
        for part, loss in losses.items():
            self._parts[part].update_state(loss)
        return sum(_WEIGHTS[part] * loss for part, loss in losses.items())

    def _classified(self, head: str, embeddings: Tensor, targets: Tensor, consumer: Tensor) -> Tensor:
        """Each domain counts the same, however many of the rows are its own: shop photos are many and easy."""
        return 0.5 * sum(
            cosine_softmax(embeddings, self._proxies[head], targets * rows[:, None], _SCALE)
            for rows in (consumer, 1.0 - consumer)
        )

    def _remember(self, seen: dict[str, Tensor], memory: dict[str, Tensor], items: Tensor) -> None:
        """Keep the shop views, newest first; the oldest fall out."""
        shop = slice(self._pairs, 2 * self._pairs)
        for name, variable in self._memory.items():
            variable.assign(ops.concatenate([seen[name][shop], memory[name][: -self._pairs]]))
        self._memory_items.assign(ops.concatenate([ops.cast(seen["items"][shop], "int32"), items[: -self._pairs]]))


def _alikeness(y: dict[str, Tensor], memory: dict[str, Tensor]) -> Tensor:
    """How good an answer each remembered photo is to each row (n, m): only of its category, the better the nearer in
    colour, and twice as good if of the same kind."""

    def agreement(head: str) -> Tensor:
        return ops.matmul(ops.normalize(y[head], axis=-1), ops.transpose(ops.normalize(memory[head], axis=-1)))

    return agreement("category") * (_ANY_COLOUR + agreement("palette")) * (1.0 + agreement("kind"))

"""The network: pixels 0-255 in, a vector of unit length out. And the heads that only training needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import BACKBONES, LOSSES
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.losses import SCALE, cosine_softmax, grouped_softmax, info_nce, neighbour_softmax, smoothed

Tensor = Any

# Keras builds MobileNetV2 with 0.999, which forgets so slowly that the moving averages are wrong after a short run.
# At 0.95 they cover the last twenty batches, and re-estimating them changes no figure.
_BATCH_NORM_MOMENTUM = 0.95

_MIDDLE = 0.8  # of a photo's width and height

_EMBED_AT_ONCE = 64

_BLOCK_ENDS = ("_project_BN", "_project_bn", "_Add", "_add")

_TEMPERATURE = 0.07
_NEIGHBOURS_TEMPERATURE = 0.1
_MEMORY = 2048
_NOTHING = -1
SMOOTHED = {"category": 0.1, "kind": 0.1, "colour": 0.1}
"""The share of each label that goes to all classes of its head: words that people chose, and some are wrong."""

_ALIKE = ("category", "kind", "palette")  # the heads whose labels say how good an answer is
_ANY_COLOUR = 0.05


def build_embedder(
    weights: str | Path | None, dimension: int, frozen_through: str, backbone: str = "MobileNetV2"
) -> keras.Model:
    """A backbone, weighted average pooling, projection, BN-neck, unit length.

    The neck normalises without a centre of its own (Luo et al. 2019, "Bag of Tricks"), so that cosines spread out.

    Args:
        weights: a file of the backbone's weights without top, "imagenet" (downloads), or None for random ones.
        dimension: length of the vector.
        frozen_through: name of the last layer that keeps its weights and statistics, or "" to train all.
        backbone: one of `BACKBONES`. MobileNetV2 is the fastest as int8, and MobileNetV3's int8 is slower than its
            float32.

    Returns:
        A model from (n, 160, 160, 3), RGB 0-255, to (n, dimension), float32.

    Raises:
        ModelError: the weights cannot be loaded, or no layer has that name.
    """
    try:
        network = getattr(keras.applications, backbone)(
            include_top=False,
            input_shape=(INPUT_SIZE, INPUT_SIZE, 3),
            weights=None if weights is None else str(weights),
        )
    except Exception as error:  # Keras raises Exception itself where it cannot download
        raise ModelError(f"cannot load {backbone} weights from {weights}: {error}") from error
    _freeze(network, frozen_through)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM

    pixels = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), name="pixels")
    features = network(pixels if BACKBONES[backbone] else keras.layers.Rescaling(1 / 127.5, -1.0)(pixels))
    pooled = _pooled(features)
    projected = keras.layers.Dense(dimension, use_bias=False, name="projection")(pooled)
    neck = keras.layers.BatchNormalization(center=False, momentum=_BATCH_NORM_MOMENTUM, name="neck")(projected)
    unit = keras.layers.UnitNormalization(name="embedding")(neck)
    return keras.Model(pixels, unit, name="garment")


def embed_with(model: keras.Model, pixels: NDArray[np.uint8]) -> Vectors:
    """Unit vectors (n, d) of pixels (n, 160, 160, 3), as the model answers in use (batch norm at its averages)."""
    parts = [
        ops.convert_to_numpy(model.predict_on_batch(pixels[start : start + _EMBED_AT_ONCE]))
        for start in range(0, len(pixels), _EMBED_AT_ONCE)
    ]
    return np.concatenate(parts)


def two_views(embedder: keras.Model) -> keras.Model:
    """The mean, of unit length, of two views' vectors: the whole photo, and its middle as a mirror shows it.

    Twice the work, no more weights. In the middle alone, what lies around a garment counts less, and its print is
    larger. Both go through the network as one batch: run twice, LiteRT would keep the weights in memory twice.
    """
    pixels = keras.Input(embedder.input_shape[1:], name="pixels")
    edge = round(INPUT_SIZE * (1 - _MIDDLE) / 2)
    middle = ops.image.resize(pixels[:, edge:-edge, edge:-edge], (INPUT_SIZE, INPUT_SIZE), interpolation="bilinear")
    both = ops.stack([pixels, ops.flip(middle, axis=2)], axis=1)
    vectors = embedder(ops.reshape(both, (-1, *embedder.input_shape[1:])))
    added = ops.sum(ops.reshape(vectors, (-1, 2, embedder.output_shape[-1])), axis=1)
    return keras.Model(pixels, keras.layers.UnitNormalization(name="embedding")(added), name="garment")


def _pooled(features: Tensor) -> Tensor:
    """Average over places (n, h, w, c) -> (n, c), each weighted by how much it looks like garment.

    The weights start equal, which is plain average pooling. A photo's bed and floor need not count.
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


class Trainee(keras.Model):  # type: ignore[misc]  # Keras has no types
    """The embedder with what training adds: proxies of every head, and the memory of shop views seen lately."""

    def __init__(
        self,
        embedder: keras.Model,
        classes: dict[str, tuple[str, ...]],
        pairs: int,
        losses: Mapping[str, float] = LOSSES,
        kinds_categories: NDArray[np.float32] | None = None,
    ) -> None:
        """Make proxies for the classes of each head there is.

        Args:
            embedder: what is trained.
            classes: of each head.
            pairs: how many pairs a batch holds, in its first rows (see `Batch`).
            losses: what each counts.
            kinds_categories: (kinds, categories), see `Batches`; None leaves consumer photos without a word on kinds.
        """
        super().__init__(name="trainee")
        self.embedder = embedder
        self._importance = dict(losses)
        self._pairs = pairs
        self._kinds_categories = kinds_categories
        dimension = embedder.output_shape[-1]
        self._proxies = {
            head: self.add_weight(
                shape=(len(classes[head]), dimension), initializer="random_normal", name=f"proxies_{head}"
            )
            for head in classes
        }
        self._memory = {
            "vectors": self._remembered("vectors", dimension),
            "consumer": self._remembered("consumer", 1),
            **{head: self._remembered(head, len(classes[head])) for head in _ALIKE if head in classes},
        }
        self._memory_items = self.add_weight(
            shape=(_MEMORY,),
            initializer=keras.initializers.Constant(_NOTHING),
            dtype="int32",
            trainable=False,
            name="memory_items",
        )
        parts = [*classes, "items", *(["neighbours"] if "category" in classes else [])]
        parts += [] if kinds_categories is None else ["implied"]
        self._parts = {part: keras.metrics.Mean(name=part) for part in parts}

    def _remembered(self, name: str, width: int) -> keras.Variable:
        return self.add_weight(shape=(_MEMORY, width), initializer="zeros", trainable=False, name=f"memory_{name}")

    def proxies(self) -> dict[str, NDArray[np.float32]]:
        """The proxies (classes, d) of each head, of any length."""
        return {head: ops.convert_to_numpy(proxies) for head, proxies in self._proxies.items()}

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

        consumer = y["consumer"][:, None]

        losses = {head: self._classified(head, y_pred, y[head], consumer) for head in self._proxies}
        phone, shop = y_pred[: self._pairs], y_pred[self._pairs : 2 * self._pairs]
        same_item = same[: self._pairs]
        nothing, no_item = memory["vectors"][:0], same_item[:, :0]
        losses["items"] = 0.5 * (
            info_nce(phone, shop, memory["vectors"], same_item, _TEMPERATURE)
            + info_nce(shop, phone, nothing, no_item, _TEMPERATURE)
        )
        if "neighbours" in self._parts:
            # A consumer photo must find the shop's own photos: other consumers' garments on white are too easy.
            too_easy = ops.matmul(consumer, ops.transpose(memory["consumer"]))
            excluded = ops.maximum(ops.maximum(same, empty), too_easy)
            losses["neighbours"] = neighbour_softmax(
                y_pred, memory["vectors"], _alikeness(y, memory), excluded, _NEIGHBOURS_TEMPERATURE
            )
        if self._kinds_categories is not None:
            losses["implied"] = grouped_softmax(
                y_pred, self._proxies["kind"], self._kinds_categories, y["category"] * consumer, SCALE
            )
        self._remember({**y, "vectors": ops.stop_gradient(y_pred), "consumer": consumer}, memory, memory_items)
        for part, loss in losses.items():
            self._parts[part].update_state(loss)
        return sum(self._importance[part] * loss for part, loss in losses.items())

    def _classified(self, head: str, embeddings: Tensor, targets: Tensor, consumer: Tensor) -> Tensor:
        """Each domain counts the same, however many of the rows are its own: shop photos are many and easy."""
        targets = smoothed(targets, SMOOTHED.get(head, 0.0))
        return 0.5 * sum(
            cosine_softmax(embeddings, self._proxies[head], targets * rows, SCALE)
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
        if head not in memory:
            return 0.0
        return ops.matmul(ops.normalize(y[head], axis=-1), ops.transpose(ops.normalize(memory[head], axis=-1)))

    return agreement("category") * (_ANY_COLOUR + agreement("palette")) * (1.0 + agreement("kind"))

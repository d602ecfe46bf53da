"""The model in training: the embedder, the heads that only training needs, and all their losses."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from embeddings.training.config import LOSSES
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.items_and_kinds import items_and_kinds, read_by
from embeddings.training.losses import (
    SCALE,
    cosine_softmax,
    direction_loss,
    grouped_softmax,
    info_nce,
    neighbour_softmax,
    relation_loss,
    smoothed,
    word_entropy,
)

Tensor = Any

WORDS_BIASES = "words_biases"
"""The name of the biases of `words` among the proxies."""

_RARE = -3.0  # a word's bias before training, as if one photo in twenty had the word

_TEMPERATURE = 0.07
_NEIGHBOURS_TEMPERATURE = 0.1
_MEMORY = 2048
_NOTHING = -1

SMOOTHED = {"category": 0.1, "kind": 0.1, "colour": 0.1, "usage": 0.1}
"""The share of each label that is spread over all classes of its head, since some of people's labels are wrong."""

_ALIKE = ("category", "kind", "palette")  # the heads whose labels tell how good a result is
_ANY_COLOUR = 0.05


class Trainee(keras.Model):  # type: ignore[misc]  # Keras has no types
    """The embedder, with the proxies of every head and a memory of recent shop views."""

    def __init__(
        self,
        embedder: keras.Model,
        classes: dict[str, tuple[str, ...]],
        pairs: int,
        losses: Mapping[str, float] = LOSSES,
        kinds_categories: NDArray[np.float32] | None = None,
        teacher: Vectors | None = None,
    ) -> None:
        """Make proxies for the classes of each head.

        Args:
            embedder: the model to train, as `build_embedder` makes it.
            classes: the classes of each head.
            pairs: the number of pairs in the first rows of a batch, see `Batch`.
            losses: the weight of each loss.
            kinds_categories: (kinds, categories), see `targets`; with None, consumer photos teach nothing about kinds.
            teacher: a teacher's vectors (m, d) of a gallery, see `relation_loss`, or None.
        """
        super().__init__(name="trainee")
        self.embedder = embedder
        self.classes = classes
        self._importance = dict(losses)
        self._pairs = pairs
        self._kinds_categories = kinds_categories
        width = embedder.output_shape[-1]
        self._proxies = {
            head: self.add_weight(
                shape=(len(classes[head]), read_by(head, embedder.output).shape[-1]),
                initializer="random_normal",
                name=f"proxies_{head}",
            )
            for head in classes
        }
        self._biases = (
            self.add_weight(
                shape=(len(classes["words"]),), initializer=keras.initializers.Constant(_RARE), name="biases_words"
            )
            if "words" in classes
            else None
        )
        self._teacher = teacher
        if teacher is not None:
            self._to_teacher = self.add_weight(
                shape=(width, teacher.shape[1]), initializer="glorot_uniform", name="to_teacher"
            )
        self._memory = {
            "vectors": self._remembered("vectors", width),
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
        parts += [] if teacher is None else ["teacher", "relation"]
        self._parts = {part: keras.metrics.Mean(name=part) for part in parts}

    def _remembered(self, name: str, width: int) -> keras.Variable:
        return self.add_weight(shape=(_MEMORY, width), initializer="zeros", trainable=False, name=f"memory_{name}")

    def proxies(self) -> dict[str, NDArray[np.float32]]:
        """Return each head's proxies (classes, d), of any length, and `words_biases` (words,) if there are words."""
        found = {head: ops.convert_to_numpy(proxies) for head, proxies in self._proxies.items()}
        return found if self._biases is None else found | {WORDS_BIASES: ops.convert_to_numpy(self._biases)}

    def begin_with(self, proxies: Mapping[str, NDArray[np.float32]], classes: Mapping[str, tuple[str, ...]]) -> None:
        """Take over another run's proxies, class by class. A class that it did not have keeps its own proxy.

        Args:
            proxies: the other run's `proxies`, of the same dimension.
            classes: the classes of the other run's heads.
        """
        for head, mine in self._proxies.items():
            if head not in proxies:
                continue
            values = ops.convert_to_numpy(mine).copy()
            theirs = {word: row for row, word in enumerate(classes[head])}
            for row, word in enumerate(self.classes[head]):
                if word in theirs:
                    values[row] = proxies[head][theirs[word]]
            mine.assign(values)

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """Embed images (n, side, side, 3)."""
        return self.embedder(images, training=training)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """Return the weighted sum of all losses; `y` holds the targets of each head, `items` and `consumer`."""
        del x, sample_weight, training
        y = {name: ops.convert_to_tensor(value) for name, value in y.items()}  # torch passes numpy through
        # Copies, because torch cannot differentiate through variables that are overwritten afterwards.
        memory = {name: ops.copy(variable) for name, variable in self._memory.items()}
        memory_items = ops.copy(self._memory_items)
        same = ops.cast(ops.equal(y["items"][:, None], memory_items[None, :]), "float32")
        empty = ops.cast(ops.equal(memory_items, _NOTHING), "float32")[None, :]

        consumer = y["consumer"][:, None]

        losses = {
            head: self._classified(head, read_by(head, y_pred), y[head], consumer)
            for head in self._proxies
            if head != "words"
        }
        items, kinds = items_and_kinds(y_pred)
        remembered_items, remembered_kinds = items_and_kinds(memory["vectors"])
        if self._biases is not None:
            losses["words"] = word_entropy(kinds, self._proxies["words"], self._biases, y["words"], 1.0 - y["consumer"])
        if self._teacher is not None:
            said = ops.normalize(ops.matmul(y_pred, self._to_teacher), axis=-1)
            taught = ops.normalize(y["teacher"], axis=-1)  # a blend of two photos is shorter
            losses["teacher"] = direction_loss(said, taught)
            losses["relation"] = relation_loss(said, taught, self._teacher, _TEMPERATURE)
        phone, shop = items[: self._pairs], items[self._pairs : 2 * self._pairs]
        same_item = same[: self._pairs]
        nothing, no_item = remembered_items[:0], same_item[:, :0]
        losses["items"] = 0.5 * (
            info_nce(phone, shop, remembered_items, same_item, _TEMPERATURE)
            + info_nce(shop, phone, nothing, no_item, _TEMPERATURE)
        )
        if "neighbours" in self._parts:
            # A consumer photo must find the shop's own photos. Other consumers' garments on white are too easy.
            too_easy = ops.matmul(consumer, ops.transpose(memory["consumer"]))
            excluded = ops.maximum(ops.maximum(same, empty), too_easy)
            losses["neighbours"] = neighbour_softmax(
                kinds, remembered_kinds, _alikeness(y, memory), excluded, _NEIGHBOURS_TEMPERATURE
            )
        if self._kinds_categories is not None:
            losses["implied"] = grouped_softmax(
                kinds, self._proxies["kind"], self._kinds_categories, y["category"] * consumer, SCALE
            )
        self._remember({**y, "vectors": ops.stop_gradient(y_pred), "consumer": consumer}, memory, memory_items)
        for part, loss in losses.items():
            self._parts[part].update_state(loss)
        return sum(self._importance[part] * loss for part, loss in losses.items())

    def _classified(self, head: str, embeddings: Tensor, targets: Tensor, consumer: Tensor) -> Tensor:
        """Give both domains the same weight however many rows they have, since shop photos are many and easy."""
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
    """Return how good a result each remembered photo is for each row (n, m).

    A result must have the row's category. The nearer its colour the better, and the same kind makes it twice as good.
    """

    def agreement(head: str) -> Tensor:
        if head not in memory:
            return 0.0
        return ops.matmul(ops.normalize(y[head], axis=-1), ops.transpose(ops.normalize(memory[head], axis=-1)))

    return agreement("category") * (_ANY_COLOUR + agreement("palette")) * (1.0 + agreement("kind"))

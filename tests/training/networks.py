"""Networks of a few layers, in place of those of keras.applications. Imports Keras: import it inside tests only."""

from pathlib import Path
from typing import Any

import keras

from embeddings.training.items_and_kinds import lengths
from embeddings.training.trainee import Trainee
from embeddings.training.views.batches import Batch, Batches

FROZEN_THROUGH = "block_1_project_BN"
FROZEN_BYTES = 16 * 16 * 3 * 64 * 4
"""The size of the frozen kernel in float32."""


def tiny_backbone(include_top: bool, input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    """A network as keras.applications makes them, with the kinds of layers that MobileNetV2 has."""
    assert not include_top
    pixels = keras.Input(input_shape)
    wide = keras.layers.Conv2D(64, 16, strides=16, use_bias=False, name="block_1_expand")(pixels)
    frozen = keras.layers.BatchNormalization(name=FROZEN_THROUGH)(wide)
    depthwise = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(keras.layers.ReLU(6.0)(frozen))
    features = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(depthwise))
    network = keras.Model(pixels, keras.layers.Conv2D(32, 1, name="block_2_expand")(features), name="tiny")
    if weights is not None:
        network.load_weights(weights)
    return network


def write_backbone_weights(path: Path) -> Path:
    keras.utils.set_random_seed(7)
    tiny_backbone(include_top=False, input_shape=(160, 160, 3), weights=None).save_weights(path)
    return path


def tiny_embedder() -> keras.Model:
    photo = keras.Input((160, 160, 3))
    features = keras.layers.Conv2D(8, 16, strides=16, activation="relu")(keras.layers.Rescaling(1 / 127.5, -1.0)(photo))
    listed = keras.layers.Flatten()(features)
    both = [keras.layers.BatchNormalization()(keras.layers.Dense(length)(listed)) for length in lengths(16).values()]
    return keras.Model(photo, joined_parts(*map(keras.layers.UnitNormalization(), both)))


def joined_parts(items: Any, kinds: Any) -> Any:
    """Vectors as `build_embedder`'s model answers them."""
    return keras.layers.UnitNormalization()(keras.layers.Concatenate()([items, kinds]))


def tiny_trainee(batches: Batches) -> Trainee:
    keras.utils.set_random_seed(0)
    trainee = Trainee(tiny_embedder(), batches.classes, batches.pairs)
    trainee.compile(optimizer=keras.optimizers.AdamW(3e-3), jit_compile=False)
    return trainee


def step(trainee: Trainee, batch: Batch) -> dict[str, float]:
    trainee.reset_metrics()
    targets = {**batch.targets, "items": batch.items, "consumer": batch.consumer}
    return trainee.train_on_batch(batch.images, targets, return_dict=True)

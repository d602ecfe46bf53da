"""What a training step learns, on drawn garments."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.training.config import LOSSES, Mix
from embeddings.training.views.batches import Batches
from embeddings.training.views.items import LoadedPhoto
from tests.training.shapes import load_training_photos

# Keras 3.15 reads integer weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def test_the_loss_falls_and_the_memory_fills(batches: Batches):
    import keras

    from tests.training.networks import step, tiny_trainee

    trainee, batch = tiny_trainee(batches), batches.batch(0)
    losses = [step(trainee, batch)["loss"] for _ in range(26)]
    assert losses[-1] < 0.6 * losses[0]
    lengths = {head: proxies.shape[1] for head, proxies in trainee.proxies().items()}
    assert (lengths["palette"], lengths["category"]) == (16, 8), "read by items, and by kinds"
    items = keras.ops.convert_to_numpy(trainee._memory_items.value)
    assert items[: batches.pairs * 2].tolist() == batch.items[: batches.pairs].tolist() * 2
    assert (items[batches.pairs * 26 :] == -1).all()


def test_a_gallery_without_labels_teaches_items_and_colours(shapes: Path):
    from tests.training.networks import step, tiny_trainee

    unlabelled = [
        LoadedPhoto(replace(each.photo, category="", type="", gender="", colour=""), each.pixels, each.garment)
        for each in load_training_photos(shapes, masked=False)
        if each.photo.domain == "shop"
    ]
    batches = Batches(unlabelled, Mix(pairs=6), seed=0)
    trainee, batch = tiny_trainee(batches), batches.batch(0)
    losses = [step(trainee, batch) for _ in range(12)]
    assert set(losses[0]) == {"loss", "palette", "items"}
    assert losses[-1]["loss"] < 0.9 * losses[0]["loss"]


def test_a_consumer_photos_category_limits_its_kinds(batches: Batches):
    import keras

    from embeddings.training.trainee import Trainee
    from tests.training.networks import step, tiny_embedder

    assert batches.kinds_categories is not None
    of_kind = {
        kind: {batches.classes["category"][column] for column in row.nonzero()[0]}
        for kind, row in zip(batches.classes["kind"], batches.kinds_categories, strict=True)
    }
    assert of_kind["Tshirts, Men"] == {"t-shirt"}

    keras.utils.set_random_seed(0)
    losses = dict.fromkeys(LOSSES, 0.0) | {"implied": 1.0}
    trainee = Trainee(tiny_embedder(), batches.classes, batches.pairs, losses, batches.kinds_categories)
    trainee.compile(optimizer=keras.optimizers.AdamW(3e-3), jit_compile=False)
    batch = batches.batch(0)
    told = [step(trainee, batch)["implied"] for _ in range(26)]
    assert told[-1] < 0.5 * told[0]
    shop_alone = replace(batch, consumer=np.zeros_like(batch.consumer))
    assert step(trainee, shop_alone)["implied"] == 0  # their own word says more


def test_words_and_a_teacher_are_learned(batches: Batches):
    import keras

    from embeddings.training.trainee import Trainee
    from tests.training.networks import step, tiny_embedder

    keras.utils.set_random_seed(0)
    batch = batches.batch(0)
    rng = np.random.default_rng(0)
    words = (rng.random((len(batch.images), 3)) < 0.5).astype(np.float32)
    taught = rng.normal(size=(len(batch.images), 7)).astype(np.float32)
    told = replace(batch, targets={**batch.targets, "words": words, "teacher": taught})
    gallery = taught / np.linalg.norm(taught, axis=1, keepdims=True)
    trainee = Trainee(tiny_embedder(), {**batches.classes, "words": tuple("abc")}, batches.pairs, teacher=gallery)
    trainee.compile(optimizer=keras.optimizers.AdamW(3e-3), jit_compile=False)
    losses = [step(trainee, told) for _ in range(26)]
    for name in ("words", "teacher", "relation"):
        assert losses[-1][name] < 0.8 * losses[0][name]
    assert trainee.proxies()["words_biases"].shape == (3,)


def test_a_run_begins_with_the_heads_of_another_class_by_class(batches: Batches):
    from tests.training.networks import tiny_trainee

    one, other = tiny_trainee(batches), tiny_trainee(batches)
    theirs = np.arange(16, dtype=np.float32).reshape(2, 8)
    known = batches.classes["colour"][1]
    before = other.proxies()
    other.begin_with({"colour": theirs, "unheard of": theirs}, {"colour": ("Puce", known)})
    after = other.proxies()
    assert np.array_equal(after["colour"][1], theirs[1])
    assert np.array_equal(after["colour"][0], before["colour"][0])
    assert np.array_equal(after["kind"], one.proxies()["kind"])

"""Batches: what their rows are, and what becomes of them where consumers, masks or labels are missing."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.training.config import Augmentation, Mix
from embeddings.training.data.photos import DatasetError
from embeddings.training.views.augmentation import consumer_view
from embeddings.training.views.batches import Batches
from embeddings.training.views.cutouts import cut_out
from embeddings.training.views.items import LoadedPhoto
from tests.training.shapes import MIX, load_training_photos


@pytest.fixture(scope="module")
def pictures(shapes: Path) -> list[LoadedPhoto]:
    return load_training_photos(shapes, masked=False)


def shop(pictures: list[LoadedPhoto]) -> list[LoadedPhoto]:
    return [picture for picture in pictures if picture.photo.domain == "shop"]


def relabelled(pictures: list[LoadedPhoto], **labels: Any) -> list[LoadedPhoto]:
    return [LoadedPhoto(replace(each.photo, **labels), each.pixels, each.garment) for each in pictures]


def test_a_batch_holds_pairs_then_consumer_photos(batches: Batches):
    batch = batches.batch(3)
    assert batch.images.shape == (2 * batches.pairs + MIX.singles, 160, 160, 3)
    assert len(set(batch.items[: batches.pairs].tolist())) == batches.pairs
    assert batch.items[: batches.pairs].tolist() == batch.items[batches.pairs : 2 * batches.pairs].tolist()
    shop_pairs = [0.0] * MIX.pairs + [1.0] * MIX.consumer_pairs
    assert batch.consumer.tolist() == [*shop_pairs, *shop_pairs, *[1.0] * MIX.singles]
    assert set(batches.classes) == {"category", "kind", "colour", "palette"}
    for head in batches.classes:
        assert batch.targets[head].shape == (2 * batches.pairs + MIX.singles, len(batches.classes[head]))
        assert np.array_equal(
            batch.targets[head][: batches.pairs], batch.targets[head][batches.pairs : 2 * batches.pairs]
        )
    assert batch.targets["category"].sum(axis=1).tolist() == [1.0] * len(batch.images)
    assert batch.targets["palette"].sum(axis=1) == pytest.approx(1)
    assert not batch.targets["colour"][2 * batches.pairs :].any()  # consumer photos have no such label


def test_a_batch_depends_on_its_step_and_not_on_the_thread(batches: Batches):
    stream = batches.stream(first_step=5, workers=2)
    for number in (5, 6, 7):
        streamed, alone = next(stream), batches.batch(number)
        assert np.array_equal(streamed.images, alone.images)
        assert np.array_equal(streamed.items, alone.items)
    stream.close()


def test_without_masks_consumer_photos_are_single_views(pictures: list[LoadedPhoto]):
    batches = Batches(pictures, MIX, seed=0)
    batch = batches.batch(0)
    assert batches.pairs == 4
    assert batch.consumer.tolist() == [0.0] * 8 + [1.0] * 3


def test_without_consumer_photos_a_batch_holds_pairs_only(pictures: list[LoadedPhoto]):
    batch = Batches(shop(pictures), MIX, seed=0).batch(0)
    assert batch.images.shape == (8, 160, 160, 3)
    assert not batch.consumer.any()
    assert batch.items[:4].tolist() == batch.items[4:].tolist()


def test_without_labels_only_the_measured_colour_is_learned(pictures: list[LoadedPhoto]):
    batches = Batches(relabelled(shop(pictures), category="", type="", gender="", colour=""), MIX, seed=0)
    batch = batches.batch(0)
    assert set(batches.classes) == set(batch.targets) == {"palette"}
    assert batch.targets["palette"].sum(axis=1) == pytest.approx(1)


def test_a_head_of_one_class_is_left_out(pictures: list[LoadedPhoto]):
    batches = Batches(relabelled(shop(pictures), colour="Red"), MIX, seed=0)
    assert set(batches.classes) == {"category", "kind", "palette"}


def test_the_classes_are_the_words_of_the_photos(pictures: list[LoadedPhoto]):
    tees = [each for each in shop(pictures) if each.photo.type == "Tshirts"]
    others = relabelled(
        [each for each in shop(pictures) if each.photo.type != "Tshirts"], category="a robe", type="Robe"
    )
    batches = Batches([*tees, *others], MIX, seed=0)
    assert batches.classes["category"] == ("a robe", "t-shirt")
    assert {word.split(",")[0] for word in batches.classes["kind"]} == {"Robe", "Tshirts"}
    photo_of = {number: each.photo for number, each in enumerate([*tees, *others])}
    batch = batches.batch(1)
    for number, target in zip(batch.items, batch.targets["category"], strict=True):
        assert batches.classes["category"][target.argmax()] == photo_of[number].category
        assert target.sum() == 1


def test_two_photos_of_an_item_are_views_of_it(pictures: list[LoadedPhoto]):
    views = [
        LoadedPhoto(replace(each.photo, item=f"item {number // 2}"), each.pixels, each.garment)
        for number, each in enumerate(shop(pictures)[:20])
    ]
    batch = Batches(views, Mix(pairs=10), seed=0).batch(0)
    assert sorted(batch.items[:10].tolist()) == list(range(10))


def test_every_second_single_is_blended_with_the_next_and_its_labels(pictures: list[LoadedPhoto], monkeypatch):
    batches = Batches(pictures, replace(MIX, singles=5), seed=0)
    batch = batches.batch(4)
    monkeypatch.setattr("embeddings.training.views.batches._blend", lambda *_: None)
    plain = batches.batch(4)
    first = len(batch.images) - 5
    for row in range(len(batch.images)):
        if row not in (first, first + 2):
            assert np.array_equal(batch.images[row], plain.images[row])
            continue
        one, other = plain.targets["palette"][row], plain.targets["palette"][row + 1]
        share = float((batch.targets["palette"][row] - one) @ (other - one) / ((other - one) @ (other - one)))
        assert 0 < share < 1
        for head, targets in plain.targets.items():
            assert batch.targets[head][row] == pytest.approx((1 - share) * targets[row] + share * targets[row + 1])
        seen = (1 - share) * plain.images[row].astype(float) + share * plain.images[row + 1]
        assert np.abs(batch.images[row] - seen).max() <= 1


def test_without_mixup_and_grounds_consumer_photos_are_whole_and_unblended(pictures: list[LoadedPhoto]):
    cut = [LoadedPhoto(each.photo, each.pixels, each.garment or cut_out(each.pixels)) for each in pictures]
    off = Augmentation(**dict.fromkeys((field.name for field in fields(Augmentation)), 0.0))
    batch = Batches(cut, MIX, 0, off).batch(0)
    plain = {
        image.tobytes()
        for each in cut
        if each.photo.domain == "consumer"
        for image in _both_ways(consumer_view(each.pixels, np.random.default_rng(0), off))
    }
    assert [image.tobytes() in plain for image in batch.images[-MIX.singles :]] == [True] * MIX.singles
    assert set(batch.targets["category"][-MIX.singles :].max(axis=1)) == {1.0}, "no label is shared"


def _both_ways(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return image, image[:, ::-1]


def test_small_photos_are_single_views_and_some_large_ones_become_small(pictures: list[LoadedPhoto], monkeypatch):
    small = [
        LoadedPhoto(replace(each.photo, small=True, item=f"small {each.photo.item}"), each.pixels, each.garment)
        for each in shop(pictures)
    ]
    made_small: list[int] = []

    def noted(photo: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
        made_small.append(1)
        return photo

    monkeypatch.setattr("embeddings.training.views.items.as_small", noted)
    batches = Batches([*pictures, *small], replace(MIX, small=5), seed=0)
    batch = batches.batch(0)
    assert batch.consumer.tolist() == [0.0] * (2 * MIX.pairs + 5) + [1.0] * MIX.singles
    assert (batch.items[: MIX.pairs] < len(pictures)).all()
    assert (batch.items[2 * MIX.pairs :][:5] >= len(pictures)).all()
    assert not set(batch.items[: MIX.pairs].tolist()) & set(batch.items[2 * MIX.pairs :].tolist())
    for step in range(1, 9):
        batches.batch(step)
    assert 1 <= len(made_small) <= 9 * MIX.pairs // 2
    made_small.clear()
    Batches(pictures, MIX, seed=0).batch(0)
    assert made_small == [], "there are no small ones to be told apart"


def test_usage_words_and_the_teachers_vectors_are_told(pictures: list[LoadedPhoto], monkeypatch):
    monkeypatch.setattr("embeddings.training.views.targets._FEWEST_TITLES", 5)
    titled = [
        LoadedPhoto(
            replace(
                each.photo,
                usage="Casual" if number % 2 else "Formal",
                title=("Acme Striped Polo Shirt", "Acme Solid Shirt", "Acme Shirt")[number % 3],
            ),
            each.pixels,
            each.garment,
        )
        for number, each in enumerate(shop(pictures))
    ]
    vectors = np.eye(len(titled), dtype=np.float32)
    batches = Batches(titled, MIX, seed=0, teacher=vectors)
    assert batches.classes["words"] == ("polo", "solid", "striped")
    assert batches.classes["usage"] == ("Casual", "Formal")
    batch = batches.batch(0)
    for row, number in enumerate(batch.items):
        assert batch.targets["words"][row].tolist() == ([1, 0, 1], [0, 1, 0], [0, 0, 0])[number % 3]
        assert batch.targets["usage"][row].tolist() == ([0, 1], [1, 0])[number % 2]
        assert batch.targets["teacher"][row].argmax() == number


@pytest.mark.parametrize("side", [64, 96])
def test_views_may_be_of_any_side(pictures: list[LoadedPhoto], side: int):
    assert Batches(pictures, MIX, seed=0, side=side).batch(0).images.shape == (11, side, side, 3)


def test_too_few_items_are_refused(pictures: list[LoadedPhoto]):
    with pytest.raises(DatasetError, match="less than one batch"):
        Batches(shop(pictures)[:3], MIX, seed=0)

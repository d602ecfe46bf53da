"""What is known of a photo, and the split."""

from dataclasses import replace
from typing import Any

import pytest

from embeddings.training.data.photos import LabelledPhoto, Split


def test_the_fractions_are_kept():
    parts = [Split(seed=1, validation=0.1, test=0.2).part(str(number)) for number in range(4000)]
    assert parts.count("test") / 4000 == pytest.approx(0.2, abs=0.02)
    assert parts.count("validation") / 4000 == pytest.approx(0.1, abs=0.02)


def test_a_photo_says_its_kind_and_unit():
    photo = LabelledPhoto("f", "shop", "dress", "Dresses", "Women", "", "", "f", "train")
    assert photo.kind == "Dresses, Women"
    assert replace(photo, gender="").kind == "Dresses"
    assert replace(photo, type="", gender="").kind == ""
    assert (photo.unit, replace(photo, sender="7").unit) == ("f", "7")


@pytest.mark.parametrize(
    ("change", "training_only"),
    [
        ({}, False),
        ({"small": True}, True),
        ({"domain": "consumer"}, False),
        ({"domain": "consumer", "category": ""}, True),
        ({"category": ""}, False),  # anyone's own gallery has no labels, and is measured
    ],
)
def test_small_photos_and_unlabelled_consumer_photos_are_training_only(change: dict[str, Any], training_only: bool):
    photo = LabelledPhoto("f", "shop", "dress", "Dresses", "Women", "", "7", "f", "train")
    assert replace(photo, **change).training_only is training_only

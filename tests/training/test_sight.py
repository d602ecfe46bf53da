"""What a model can tell of a photo, learnt from its answers and labels."""

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.sight import NO_PART, Sight, with_sight
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.sight import (
    Described,
    attributes_of,
    described,
    judged,
    learn_directions,
    with_thresholds,
    with_thresholds_of,
)
from tests.sights import COLOUR_SIGHT, SIGHT
from tests.test_embedder import MODELS

HEADS = {"kind": ("Shirts, Men", "Shirts, Women", "Belts"), "colour": ("Red", "Blue"), "words": ("basic", "striped")}


def labelled(kind: str = "", colour: str = "", title: str = "") -> LabelledPhoto:
    return LabelledPhoto("a.jpg", "shop", "", kind, "", colour, "", "a", "validation", title=title)


def numbers(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_a_kind_is_a_type_and_maybe_a_gender_and_words_without_a_look_are_left_out() -> None:
    attributes = attributes_of(HEADS)
    assert {each.name: each.values for each in attributes} == {
        "kind": ("belts", "shirts"),
        "gender": ("men", "women"),
        "colour": ("blue", "red"),
        "words": ("striped",),
    }
    outputs = np.array([0.5, 0.2, 0.3, 0.9, 0.1, 0.8, 0.4], np.float32)
    kind, gender, colour, words = (each.probabilities(outputs) for each in attributes)
    assert kind == pytest.approx([0.3, 0.7])
    assert gender == pytest.approx([0.5, 0.2])
    assert colour == pytest.approx([0.1, 0.9])
    assert words == pytest.approx([0.4])
    assert attributes[0].of.tolist() == [1, 1, 0, *[NO_PART] * 4]


def test_heads_without_genders_tell_none() -> None:
    assert [each.name for each in attributes_of({"kind": ("Belts", "Shirts")})] == ["kind"]


def test_the_threshold_is_the_least_that_is_precise_enough() -> None:
    [colour] = attributes_of({"colour": ("Red", "Blue")})
    # The model says red with falling certainty. The labels agree in the first 30 of 50, and in no other.
    red = np.linspace(0.99, 0.6, 50, dtype=np.float32)
    photos = [labelled(colour="Red" if row < 30 else "Blue") for row in range(50)]
    outputs = np.stack([red, 1 - red], axis=1)
    [judged_colour] = with_thresholds([colour], outputs, photos)
    sure = red >= judged_colour.thresholds[0]
    assert sure.sum() == 40  # 30 of 40 are three quarters
    never = with_thresholds([colour], outputs, [labelled(colour="Green")] * 50)
    assert never[0].thresholds == (2.0, 2.0)


def test_each_look_has_a_threshold_of_its_own_and_rare_ones_none() -> None:
    [words] = attributes_of({"words": ("check", "striped")})
    outputs = np.tile(numbers([[0.9, 0.8], [0.1, 0.1]]), (20, 1))
    photos = [labelled(title="Striped" if row % 2 == 0 else "Plain") for row in range(40)]
    photos[0] = labelled(title="Check")
    [found] = with_thresholds([words], outputs, photos)
    check, striped = found.thresholds
    assert check == 2
    assert 0.1 < striped <= 0.81


def test_photos_without_a_label_are_not_judged() -> None:
    [colour] = attributes_of({"colour": ("Red", "Blue")})
    photos = [labelled(colour=label) for label in ("Red", "", "Blue")]
    answers = judged(colour, numbers([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), photos)
    assert answers.right.tolist() == [True, False]
    assert answers.labels.tolist() == [1, 1]


def test_a_direction_holds_its_value_alone() -> None:
    """Most blue photos show jeans, but blue is not where jeans are."""
    rng = np.random.default_rng(0)
    attributes = attributes_of({"kind": ("Jeans", "Shirts"), "colour": ("Blue", "Red")})
    jeans = rng.random(4000) < 0.5
    blue = rng.random(4000) < np.where(jeans, 0.9, 0.2)
    vectors = np.stack([jeans, ~jeans, blue, ~blue], axis=1) + rng.normal(scale=0.1, size=(4000, 4))
    outputs = np.stack([jeans, ~jeans, blue, ~blue], axis=1).astype(np.float32)
    directions = learn_directions(attributes, Described(vectors.astype(np.float32), outputs))
    names = [value for each in attributes for value in each.values]
    found = directions[names.index("blue")]
    assert found == pytest.approx([0, 0, 0.5**0.5, -(0.5**0.5)], abs=0.05)


def test_a_model_without_a_second_output_or_another_one_s_thresholds_are_refused() -> None:
    with pytest.raises(ModelError, match="answers no attributes"):
        described(Embedder(MODELS / "float32.tflite"), np.zeros((1, 160, 160, 3), np.uint8))
    other = Embedder(with_sight((MODELS / "attributes.tflite").read_bytes(), COLOUR_SIGHT))
    more = attributes_of({"colour": ("Blue", "Pink", "Red")})
    taken = with_thresholds_of(Sight(more, np.zeros((3, 48), np.float32)), other)
    assert taken.attributes[0].thresholds == (0.7, 0.7, 0.7)
    with pytest.raises(ModelError, match="does not tell kind, words"):
        with_thresholds_of(SIGHT, other)
    told = Embedder(with_sight((MODELS / "attributes.tflite").read_bytes(), SIGHT))
    looks = Sight(attributes_of({"words": ("check", "solid")}), np.zeros((2, 48), np.float32))
    assert with_thresholds_of(looks, told).attributes[0].thresholds == (0.9, 2.0)

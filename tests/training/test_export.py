"""Conversion on a tiny network of the same shape: parity, refusal, and the card."""

import json
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.training.config import FILE_FORMATS
from tests.training.shapes import COLOURS, SHAPES, WHITE, draw_garment, rgb

pytestmark = pytest.mark.slow  # needs TensorFlow

if TYPE_CHECKING:
    import keras


@pytest.fixture(scope="module")
def export() -> ModuleType:
    from embeddings.training import export

    return export


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    rng = np.random.default_rng(0)
    drawn = [
        draw_garment(kind, rgb(colour + rng.integers(-25, 26, 3)), WHITE, (160, 160))
        for kind in SHAPES
        for colour in np.clip(np.array(list(COLOURS.values())), 25, 230)
        for _ in range(6)
    ]
    return np.stack([np.asarray(image) for image in drawn])


@pytest.fixture(scope="module")
def model() -> "keras.Model":
    import keras

    keras.utils.set_random_seed(3)
    photo = keras.Input((160, 160, 3))
    features = keras.layers.Conv2D(8, 8, strides=8, activation="relu6")(keras.layers.Rescaling(1 / 127.5, -1.0)(photo))
    vector = keras.layers.Dense(12, use_bias=False)(keras.layers.Flatten()(keras.layers.AveragePooling2D(5)(features)))
    return keras.Model(photo, keras.layers.UnitNormalization()(vector))


@pytest.fixture(scope="module")
def expected(model: "keras.Model", pixels: np.ndarray) -> np.ndarray:
    """What Keras answers."""
    from embeddings.training.model import embed_with

    return embed_with(model, pixels)


@pytest.fixture(scope="module")
def fp32(model: "keras.Model", pixels: np.ndarray, export: ModuleType) -> bytes:
    return export.convert(model, "fp32", pixels)


def test_the_file_answers_as_keras_does(fp32: bytes, pixels: np.ndarray, expected: np.ndarray, export: ModuleType):
    embedder = Embedder(fp32)
    assert np.stack([embedder.embed_pixels(photo) for photo in pixels]) == pytest.approx(expected, abs=1e-4)
    parity = export.check_parity(fp32, "fp32", pixels, expected)
    assert parity.overlap >= 0.99
    assert parity.size == len(fp32)
    assert parity.milliseconds > 0


@pytest.mark.parametrize("file_format", [each for each in FILE_FORMATS if each != "fp32"])
def test_every_format_takes_pixels_and_keeps_the_neighbours(
    file_format, model: "keras.Model", pixels: np.ndarray, expected: np.ndarray, export: ModuleType
):
    content = export.convert(model, file_format, pixels)
    assert export.check_parity(content, file_format, pixels, expected).overlap > 0.75
    assert Embedder(content).dimension == 12


def test_a_file_without_weights_is_refused(
    model: "keras.Model", pixels: np.ndarray, expected: np.ndarray, export: ModuleType
):
    import keras

    broken = keras.models.clone_model(model)
    broken.set_weights([np.full_like(weight, np.nan) for weight in broken.get_weights()])
    with pytest.raises(ModelError, match="NaN"):
        export.check_parity(export.convert(broken, "fp32", pixels), "fp32", pixels, expected)


def test_other_neighbours_are_refused(fp32: bytes, pixels: np.ndarray, export: ModuleType):
    strangers = np.random.default_rng(0).normal(size=(len(pixels), 12)).astype(np.float32)
    with pytest.raises(ModelError, match=r"shares 0\.\d+ of its neighbours.*not written"):
        export.check_parity(fp32, "fp32", pixels, strangers)


def test_the_card_belongs_to_the_file(
    fp32: bytes, pixels: np.ndarray, expected: np.ndarray, tmp_path: Path, export: ModuleType
):
    path = tmp_path / "new" / "tiny.tflite"
    parity = export.check_parity(fp32, "fp32", pixels, expected)
    card = export.write_model(path, fp32, "fp32", parity, {"steps": 3}, {"A": 0.5})
    assert json.loads(path.with_suffix(".json").read_text()) == card
    assert (card["dimension"], card["made"], card["input"]["dtype"]) == (12, {"steps": 3}, "float32")
    assert Embedder(path).sha256 == card["sha256"]

    path.write_bytes(fp32 + b"\0")
    with pytest.raises(ModelError, match="card of another file"):
        Embedder(path)


def test_spread_takes_from_all_over(export: ModuleType):
    assert export.spread(range(100), 5) == [0, 24, 49, 74, 99]
    assert export.spread([1, 2], 5) == [1, 2]

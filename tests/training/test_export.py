"""Conversion on a tiny network of the same shape: parity, refusal, and the card."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.training.config import FILE_FORMATS
from embeddings.training.export import check_parity, convert, spread, write_model
from embeddings.training.model import embed_with, two_views
from tests.training.shapes import COLOURS, SHAPES, draw_garment, rgb


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    rng = np.random.default_rng(0)
    drawn = [
        draw_garment(kind, rgb(colour + rng.integers(-25, 26, 3)), (255, 255, 255), (160, 160))
        for kind in SHAPES
        for colour in np.clip(np.array(list(COLOURS.values())), 25, 230)
        for _ in range(6)
    ]
    return np.stack([np.asarray(image) for image in drawn])


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    photo = keras.Input((160, 160, 3))
    features = keras.layers.Conv2D(8, 8, strides=8, activation="relu6")(keras.layers.Rescaling(1 / 127.5, -1.0)(photo))
    vector = keras.layers.Dense(12, use_bias=False)(keras.layers.Flatten()(keras.layers.AveragePooling2D(5)(features)))
    return keras.Model(photo, keras.layers.UnitNormalization()(vector))


@pytest.fixture(scope="module")
def fp32(model: keras.Model, pixels: np.ndarray) -> bytes:
    return convert(model, "fp32", pixels)


def test_the_file_answers_as_keras_does(fp32: bytes, model: keras.Model, pixels: np.ndarray):
    expected = embed_with(model, pixels)
    embedder = Embedder(fp32)
    assert np.stack([embedder.embed_pixels(photo) for photo in pixels]) == pytest.approx(expected, abs=1e-4)
    parity = check_parity(fp32, "fp32", pixels, expected)
    assert parity.overlap >= 0.99
    assert parity.size == len(fp32)
    assert parity.milliseconds > 0


def test_two_views_are_the_photo_and_its_mirrored_middle(model: keras.Model, fp32: bytes, pixels: np.ndarray):
    content = convert(two_views(model), "fp32", pixels)
    assert len(content) < 1.2 * len(fp32), "the weights are in the file once"
    photo = pixels[0].copy()
    photo[:, :40] //= 2  # not symmetric
    middle = Image.fromarray(photo).crop((16, 16, 144, 144)).resize((160, 160), Image.Resampling.BILINEAR)
    turned = np.asarray(middle.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    mean = embed_with(model, np.stack([photo, turned])).mean(axis=0)
    assert Embedder(content).embed_pixels(photo) == pytest.approx(mean / np.linalg.norm(mean), abs=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in FILE_FORMATS if kind != "fp32"])
def test_every_kind_takes_pixels_and_keeps_the_neighbours(kind, model: keras.Model, pixels: np.ndarray):
    content = convert(model, kind, pixels)
    assert check_parity(content, kind, pixels, embed_with(model, pixels)).overlap > 0.75
    assert Embedder(content).dimension == 12


def test_a_file_without_weights_is_refused(model: keras.Model, pixels: np.ndarray):
    broken = keras.models.clone_model(model)
    broken.set_weights([np.full_like(weight, np.nan) for weight in broken.get_weights()])
    with pytest.raises(ModelError, match="NaN"):
        check_parity(convert(broken, "fp32", pixels), "fp32", pixels, embed_with(model, pixels))


def test_other_neighbours_are_refused(fp32: bytes, pixels: np.ndarray):
    strangers = np.random.default_rng(0).normal(size=(len(pixels), 12)).astype(np.float32)
    with pytest.raises(ModelError, match=r"shares 0\.\d+ of its neighbours.*not written"):
        check_parity(fp32, "fp32", pixels, strangers)


def test_the_card_is_the_files_own(fp32: bytes, model: keras.Model, pixels: np.ndarray, tmp_path: Path):
    path = tmp_path / "new" / "tiny.tflite"
    parity = check_parity(fp32, "fp32", pixels, embed_with(model, pixels))
    card = write_model(path, fp32, "fp32", parity, {"steps": 3}, {"A": 0.5})
    assert json.loads(path.with_suffix(".json").read_text()) == card
    assert (card["dimension"], card["made"], card["input"]["dtype"]) == (12, {"steps": 3}, "float32")
    assert Embedder(path).sha256 == card["sha256"]

    path.write_bytes(fp32 + b"\0")
    with pytest.raises(ModelError, match="card of another file"):
        Embedder(path)


def test_spread_takes_from_all_over():
    assert spread(range(100), 5) == [0, 24, 49, 74, 99]
    assert spread([1, 2], 5) == [1, 2]

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from embeddings import Embedder
from embeddings.errors import BrokenPhotoError, ModelError
from embeddings.model_card import SIGHT_MAGIC
from embeddings.preprocess import Box, photo_pixels
from embeddings.products.seen import Seen
from embeddings.sight import with_sight
from tests.photos import photo
from tests.sights import COLOUR_SIGHT

MODELS = Path(__file__).parent / "models"
COLOURS = ["red", "green", "blue", "orange", "purple", "black"]


def test_vectors_have_unit_length_and_a_photo_always_has_the_same() -> None:
    embedder = Embedder(MODELS / "float32.tflite")
    photos = [photo(colour) for colour in COLOURS]
    vectors = embedder.embed(photos)
    assert vectors.shape == (6, embedder.dimension) == (6, 48)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, embedder.embed(photos))
    assert (vectors @ vectors.T - np.eye(6)).max() < 0.999, "different colours are different directions"


def test_no_photos_are_no_vectors() -> None:
    assert Embedder(MODELS / "float32.tflite").embed([]).shape == (0, 48)


def test_file_and_content_are_the_same_model() -> None:
    path = MODELS / "float32.tflite"
    from_path, from_text, from_bytes = Embedder(path), Embedder(str(path)), Embedder(path.read_bytes())
    assert from_path.sha256 == from_text.sha256 == from_bytes.sha256
    np.testing.assert_array_equal(from_path.embed([photo("red")]), from_bytes.embed([photo("red")]))


@pytest.mark.parametrize("name", ["uint8", "int8", "int8-wide"])
def test_quantized_models_agree_with_the_float_model(name: str) -> None:
    """`int8-wide` has a scale of 2.3, so it tells apart fewer than half of the 256 levels."""
    photos = [photo(colour) for colour in COLOURS]
    plain, quantized = (Embedder(MODELS / f"{each}.tflite").embed(photos) for each in ("float32", name))
    assert np.sum(plain * quantized, axis=1).min() > 0.9995


def test_pixels_above_a_quantized_models_range_saturate() -> None:
    """`uint8-narrow` covers 0 to 193; if its values wrapped around, white would become a dark grey."""
    embedder = Embedder(MODELS / "uint8-narrow.tflite")
    checks = np.indices((160, 160, 3)).sum(axis=0) // 40 % 2
    above, within = (np.where(checks, brightest, 0).astype(np.uint8) for brightest in (255, 193))
    np.testing.assert_array_equal(embedder.embed_pixels(above), embedder.embed_pixels(within))


def test_a_box_changes_the_vector() -> None:
    embedder = Embedder(MODELS / "float32.tflite")
    whole, part = embedder.embed([photo("red")]), embedder.embed([photo("red")], box=Box(0.3, 0.3, 0.3, 0.3))
    assert float(whole[0] @ part[0]) < 0.99


def test_many_threads_get_the_same_vectors_as_one() -> None:
    embedder = Embedder(MODELS / "float32.tflite")
    photos = [photo(colour) for colour in COLOURS] * 20
    expected = embedder.embed(photos)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: embedder.embed([each])[0], photos))
    np.testing.assert_array_equal(found, expected)


def test_threads_that_take_turns_share_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may use a new thread for each request, and opening an interpreter costs 20 ms and memory."""
    embedder = Embedder(MODELS / "float32.tflite")
    monkeypatch.setattr(embedder, "_open", lambda name: pytest.fail("opened another one"))
    vectors = []
    for _ in range(3):
        thread = Thread(target=lambda: vectors.append(embedder.embed([photo("red")])))
        thread.start()
        thread.join()
    assert len(vectors) == 3


def test_a_broken_photo_raises_a_photo_error() -> None:
    with pytest.raises(BrokenPhotoError):
        Embedder(MODELS / "float32.tflite").embed([photo("red")[:500]])


@pytest.mark.parametrize(
    ("name", "message"),
    [("size-128", r"\(1, 128, 128, 3\).*takes one image of \(1, 160, 160, 3\)"), ("three-outputs", "one vector")],
)
def test_models_of_another_shape_are_refused(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Embedder(MODELS / f"{name}.tflite")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tflite").write_text("hello")
    with pytest.raises(ModelError, match="not a TFLite model"):
        Embedder(tmp_path / "text.tflite")
    with pytest.raises(ModelError, match="not a TFLite model"):
        Embedder((MODELS / "float32.tflite").read_bytes()[:800])
    with pytest.raises(ModelError, match="cannot read"):
        Embedder(tmp_path / "missing.tflite")


def test_a_model_that_answers_nan_raises_a_model_error() -> None:
    with pytest.raises(ModelError, match="NaN"):
        Embedder(MODELS / "nan.tflite").embed([photo("red")])


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"sha256": "0" * 64}, "another file"),
        ({"sha256": None, "dimension": 7}, "dimension 7"),
        ("no card", "not a model card"),
    ],
)
def test_a_card_that_disagrees_with_its_file_is_refused(tmp_path: Path, card: object, message: str) -> None:
    model = tmp_path / "model.tflite"
    shutil.copy(MODELS / "float32.tflite", model)
    if isinstance(card, dict) and card["sha256"] is None:
        card["sha256"] = Embedder(model).sha256
    model.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=message):
        Embedder(model)


def test_a_model_with_a_sight_says_what_it_sees() -> None:
    embedder = Embedder(with_sight((MODELS / "attributes.tflite").read_bytes(), COLOUR_SIGHT))
    pixels = photo_pixels(photo("blue"))
    vector, outputs = embedder.describe_pixels(pixels)
    np.testing.assert_array_equal(vector, embedder.embed_pixels(pixels))
    assert embedder.sight is not None
    assert outputs is not None
    assert embedder.sight.seen(outputs) == Seen(colour="blue")
    assert outputs.sum() == pytest.approx(1)


def test_without_a_sight_the_vector_stays_and_nothing_is_seen() -> None:
    embedder = Embedder((MODELS / "attributes.tflite").read_bytes())
    vector, _ = embedder.describe_pixels(photo_pixels(photo("red")))
    assert (embedder.dimension, embedder.sight) == (48, None)
    plain = Embedder(MODELS / "float32.tflite")
    np.testing.assert_allclose(vector, plain.embed([photo("red")])[0], atol=1e-6)
    assert plain.describe_pixels(photo_pixels(photo("red")))[1] is None


def test_the_sight_of_another_model_is_refused() -> None:
    with pytest.raises(ModelError, match="ends with what another model can tell"):
        Embedder(with_sight((MODELS / "float32.tflite").read_bytes(), COLOUR_SIGHT))


def test_a_damaged_sight_is_refused() -> None:
    model = with_sight((MODELS / "attributes.tflite").read_bytes(), COLOUR_SIGHT)
    with pytest.raises(ModelError, match="is damaged"):
        Embedder(model.replace(b'"colour.of"', b'"coloor.of"'))
    with pytest.raises(ModelError, match="is damaged"):
        Embedder(model[:-16] + b"\xff" * 8 + SIGHT_MAGIC)

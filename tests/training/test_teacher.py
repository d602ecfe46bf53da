import shutil
from pathlib import Path

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.training import teacher
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import Split
from embeddings.training.teacher import teacher_vectors

pytestmark = pytest.mark.slow  # needs TensorFlow

MODELS = Path(__file__).parent.parent / "models"


def test_vectors_are_the_teachers_and_computed_once(shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    photos = read_photos(shapes, Split())[:5]
    cache = tmp_path / "run" / "teacher.npz"
    vectors = teacher_vectors(MODELS / "float32.tflite", shapes, photos, cache)
    assert vectors.shape == (5, 48)
    expected = Embedder(MODELS / "float32.tflite").embed([(shapes / photo.file).read_bytes() for photo in photos])
    assert np.sum(vectors * expected, axis=1) == pytest.approx(1, abs=1e-3)

    monkeypatch.setattr(teacher, "encoded_photos", lambda *_: pytest.fail("read the photos again"))
    assert np.array_equal(teacher_vectors(MODELS / "float32.tflite", shapes, photos, cache), vectors)


@pytest.mark.parametrize("change", ["teacher", "photos", "damage"])
def test_a_cache_of_something_else_is_computed_anew(shapes: Path, tmp_path: Path, change: str):
    photos = read_photos(shapes, Split())[:4]
    model, cache = tmp_path / "model.tflite", tmp_path / "teacher.npz"
    shutil.copy(MODELS / "float32-12d.tflite", model)
    teacher_vectors(model, shapes, photos, cache)
    if change == "teacher":
        shutil.copy(MODELS / "float32.tflite", model)
    elif change == "photos":
        photos = photos[::-1]
    else:
        cache.write_bytes(cache.read_bytes()[:200])
    expected = Embedder(model).embed([(shapes / photo.file).read_bytes() for photo in photos])
    assert np.sum(teacher_vectors(model, shapes, photos, cache) * expected, axis=1) == pytest.approx(1, abs=1e-3)

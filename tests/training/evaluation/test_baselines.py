"""What a model has to beat."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from embeddings.errors import ModelError
from embeddings.training.evaluation.baselines import OffTheShelf, colour_histogram

pytestmark = pytest.mark.slow  # needs TensorFlow


def test_the_histogram_is_the_root_of_shares():
    half = Image.new("RGB", (160, 160), (0, 0, 0))
    half.paste((255, 255, 255), (0, 0, 80, 160))
    stream = BytesIO()
    half.save(stream, "PNG")
    (vector,) = colour_histogram([stream.getvalue()])
    assert vector[[0, -1]] == pytest.approx(np.sqrt(0.5))
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch: pytest.MonkeyPatch):
    import keras

    def offline(**_options: object) -> keras.Model:
        raise Exception("URL fetch failure on https://weights.example: None -- [Errno -3]")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    with pytest.raises(ModelError, match="cannot load MobileNetV2 weights from imagenet: URL fetch failure"):
        OffTheShelf("imagenet")

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embeddings.errors import ModelError

if TYPE_CHECKING:
    import keras

# Keras 3.15 reads weights through a numpy call that numpy 2.4 calls old.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def network(channels: int = 4) -> "keras.Model":
    import keras

    photo = keras.Input((8, 8, 3))
    seen = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(channels, 3, name="conv")(photo))
    return keras.Model(photo, seen, name="tiny")


def test_weights_come_back_to_half_precision(tmp_path: Path):
    from embeddings.training.packed_weights import load_packed, save_packed

    one, other = network(), network()
    save_packed(one, tmp_path / "weights.npz")
    load_packed(other, tmp_path / "weights.npz")
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        assert theirs == pytest.approx(mine, rel=1e-3, abs=1e-6)


def test_a_file_of_another_network_or_a_damaged_one_is_refused(tmp_path: Path):
    from embeddings.training.packed_weights import load_packed, save_packed

    path = tmp_path / "weights.npz"
    save_packed(network(), path)
    with pytest.raises(ModelError, match=r"weights\.npz into tiny"):
        load_packed(network(channels=5), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot load"):
        load_packed(network(), path)


def test_an_embedder_of_any_side_begins_with_packed_weights(tmp_path: Path):
    import keras

    from embeddings.training.model import build_embedder
    from embeddings.training.packed_weights import save_packed

    path = tmp_path / "start.npz"
    started = keras.applications.MobileNetV2(include_top=False, input_shape=(160, 160, 3), weights=None)
    save_packed(started, path)
    model = build_embedder(path, 16, "", side=96)
    assert model.input_shape == (None, 96, 96, 3)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    kernel = started.get_layer("block_16_project").get_weights()[0]
    assert backbone.get_layer("block_16_project").get_weights()[0] == pytest.approx(kernel, abs=1e-3)
    assert np.isfinite(model.predict_on_batch(np.zeros((1, 96, 96, 3), np.float32))).all()

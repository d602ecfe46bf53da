"""The network: frozen layers, unit vectors, and weights that cannot be loaded."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import ModelError
from embeddings.training.config import BACKBONES, Config
from embeddings.training.items_and_kinds import items_and_kinds

pytestmark = pytest.mark.slow  # needs TensorFlow


def test_the_network_freezes_through_a_named_layer_and_answers_items_and_kinds_of_unit_length():
    import keras

    from embeddings.training.model import build_embedder, embed_with

    model = build_embedder(None, 24, Config.frozen_through)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    assert not backbone.get_layer("block_6_expand").trainable
    assert backbone.get_layer("block_7_expand").trainable
    momenta = {layer.momentum for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert momenta == {0.95}
    vectors = embed_with(model, np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8))
    assert vectors.shape == (2, 36)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for part in items_and_kinds(vectors):
        assert np.linalg.norm(part, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("backbone", [name for name in BACKBONES if name != "MobileNetV2"])
def test_every_backbone_takes_the_same_pixels_and_answers_unit_vectors(backbone: str):
    import keras

    from embeddings.training.model import build_embedder, embed_with

    model = build_embedder(None, 24, "", backbone)
    vectors = embed_with(model, np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert [layer.name for layer in model.layers if isinstance(layer, keras.layers.Rescaling)] == []


def test_a_backbone_computes_in_bfloat16_and_answers_float32():
    import keras

    from embeddings.training.model import build_embedder, embed_with

    model = build_embedder(None, 24, "", side=64, bfloat16=True)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    assert {layer.compute_dtype for layer in backbone.layers if layer.weights} == {"bfloat16"}
    assert {variable.dtype for variable in model.variables} == {"float32"}
    vectors = embed_with(model, np.zeros((1, 64, 64, 3), np.uint8))
    assert vectors.dtype == np.float32
    assert build_embedder(None, 24, "").layers[1].compute_dtype == "float32", "the policy does not stay"


def test_wrong_weights_and_layers_are_named(tmp_path: Path):
    from embeddings.training.model import build_embedder

    with pytest.raises(ModelError, match=r"nowhere\.weights\.h5"):
        build_embedder(tmp_path / "nowhere.weights.h5", 24, "")
    with pytest.raises(ModelError, match=r"'block_99'.*block_6_project_BN"):
        build_embedder(None, 24, "block_99")


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch: pytest.MonkeyPatch):
    import keras

    from embeddings.training.model import build_embedder

    def offline(**_options: object) -> keras.Model:
        raise Exception("URL fetch failure on https://weights.example: None -- [Errno -3]")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    with pytest.raises(ModelError, match="cannot load MobileNetV2 weights from imagenet: URL fetch failure"):
        build_embedder("imagenet", 24, "")

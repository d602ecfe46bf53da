"""Rounding to float16 that leaves even areas even."""

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embeddings.embedder import Embedder

pytestmark = pytest.mark.slow  # needs TensorFlow

if TYPE_CHECKING:
    import keras

CHANNELS = 6


@pytest.fixture(scope="module")
def float16_kernels() -> ModuleType:
    from embeddings.training import float16_kernels

    return float16_kernels


@pytest.fixture
def edges() -> np.ndarray:
    """Kernels (3, 3, 6, 1) whose taps are large and add up to nothing, one of them by a small tap."""
    kernel = np.random.default_rng(0).normal(0, 2, (3, 3, CHANNELS, 1)).astype(np.float32)
    kernel[2, 2] = 0.01
    kernel[0, 0] -= kernel.sum(axis=(0, 1))
    return kernel


@pytest.fixture
def network(edges: np.ndarray) -> "keras.Model":
    """Edges of a bright photo, scaled up by a batch norm."""
    import keras

    pixels = keras.Input((160, 160, 3))
    channels = keras.layers.Conv2D(CHANNELS, 1, kernel_initializer="ones", use_bias=False)(pixels)
    depthwise = keras.layers.DepthwiseConv2D(3, strides=40, use_bias=False, name="edges")
    norm = keras.layers.BatchNormalization()
    found = norm(depthwise(channels))
    unit = keras.layers.UnitNormalization()(keras.layers.Dense(8)(keras.layers.Flatten()(found)))
    model = keras.Model(pixels, unit)
    depthwise.kernel.assign(edges)
    norm.gamma.assign([3, 0.7, -1, 2, 0, 1])
    norm.moving_variance.assign([0.2, 1, 3, 0.5, 1, 1])
    return keras.Model(model.inputs, keras.Sequential([model])(model.inputs[0]))


def sums(kernel: np.ndarray) -> np.ndarray:
    return kernel.sum(axis=(0, 1), dtype=np.float64)


def test_a_rounded_kernel_keeps_its_sum_and_its_taps(edges, float16_kernels: ModuleType):
    near = float16_kernels.rounded(edges)
    assert np.array_equal(near, near.astype(np.float16))
    assert near == pytest.approx(edges, abs=1e-2)
    assert np.abs(sums(near) - sums(edges)).max() < 1e-5
    assert np.abs(sums(edges.astype(np.float16)) - sums(edges)).max() > 2e-4


def test_a_kernel_of_zeros_stays(edges, float16_kernels: ModuleType):
    assert not float16_kernels.rounded(np.zeros_like(edges)).any()


def test_the_model_is_restored_afterwards(network, edges, float16_kernels: ModuleType):
    depthwise = network.layers[-1].layers[-1].get_layer("edges")
    with float16_kernels.rounded_depthwise(network):
        assert not np.array_equal(depthwise.get_weights()[0], edges)
    assert np.array_equal(depthwise.get_weights()[0], edges)


def test_a_float16_file_sees_no_edges_in_an_even_area(network):
    from embeddings.training.export import convert
    from embeddings.training.model import embed_with

    rng = np.random.default_rng(1)
    photos = (210 + rng.integers(-2, 3, (8, 160, 160, 3))).astype(np.uint8)
    expected = embed_with(network, photos)
    file = Embedder(convert(network, "fp16", photos))
    found = np.stack([file.embed_pixels(photo) for photo in photos])
    assert np.linalg.norm(found - expected, axis=1).max() < 3e-3

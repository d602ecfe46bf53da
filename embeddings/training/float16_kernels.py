"""Depthwise kernels that float16 can hold without moving what they see in an even area.

A depthwise kernel is often an edge filter: large taps that add up to nearly nothing. Rounded one by one they no longer
do, and the rest, times the brightness of the whole photo, is as large as a faint edge. In MobileNetV2 a single such
channel of the first block made nearly all the difference between a float16 file and Keras.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

Kernel = NDArray[np.float32]
"""(h, w, channels, 1)."""


def rounded(kernel: Kernel) -> Kernel:
    """The kernel in numbers of float16; the smallest tap of each channel takes what the others lost, so that the sum
    stays."""
    near = kernel.astype(np.float16)
    taps = near.reshape(-1, kernel.shape[2] * kernel.shape[3])
    lost = kernel.reshape(taps.shape).sum(axis=0, dtype=np.float64) - taps.sum(axis=0, dtype=np.float64)
    smallest = np.abs(np.where(taps == 0, np.inf, taps)).argmin(axis=0)
    channels = np.arange(taps.shape[1])
    taps[smallest, channels] += lost.astype(np.float16)
    return near.astype(np.float32)


@contextmanager
def rounded_depthwise(model: keras.Model) -> Iterator[None]:
    """Within it, the depthwise kernels of the model are such that the converter, which multiplies each by the batch
    norm that follows, rounds nothing away; after it, they are as they were."""
    kept = []
    try:
        for layer, factor in _depthwise(model):
            kernel = layer.get_weights()[0]
            kept.append((layer, kernel))
            layer.kernel.assign(rounded(kernel * factor) / factor)
        yield
    finally:
        for layer, kernel in kept:
            layer.kernel.assign(kernel)


def _depthwise(model: keras.Model) -> Iterator[tuple[keras.layers.DepthwiseConv2D, Kernel]]:
    """Each depthwise layer, and by what the batch norm behind it multiplies each channel; 1 where that is 0 or none."""
    for layer, following in zip(model.layers, [*model.layers[1:], None], strict=True):
        if isinstance(layer, keras.Model):
            yield from _depthwise(layer)
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            factor = np.ones(layer.kernel.shape[2:], np.float32)
            if isinstance(following, keras.layers.BatchNormalization):
                deviation = ops.sqrt(following.moving_variance + following.epsilon)
                scale = 1 / deviation if following.gamma is None else following.gamma / deviation
                factor = ops.convert_to_numpy(scale).reshape(factor.shape)
            yield layer, np.where(factor == 0, np.float32(1), factor)

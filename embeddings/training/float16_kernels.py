"""Rounds depthwise kernels to float16 so that an even area still gives nothing.

A depthwise kernel is often an edge filter: large taps that add up to nearly zero. Rounded one by one, they no longer
do, and the remainder times the photo's brightness is as large as a faint edge. In MobileNetV2 one such channel of the
first block caused nearly all the difference between a float16 file and Keras.
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
    """Round a kernel to float16; the smallest tap of each channel takes up what the others lost, to keep the sum."""
    near = kernel.astype(np.float16)
    taps = near.reshape(-1, kernel.shape[2] * kernel.shape[3])
    lost = kernel.reshape(taps.shape).sum(axis=0, dtype=np.float64) - taps.sum(axis=0, dtype=np.float64)
    smallest = np.abs(np.where(taps == 0, np.inf, taps)).argmin(axis=0)
    channels = np.arange(taps.shape[1])
    taps[smallest, channels] += lost.astype(np.float16)
    return near.astype(np.float32)


@contextmanager
def rounded_depthwise(model: keras.Model) -> Iterator[None]:
    """Round the model's depthwise kernels for the time of a conversion, and restore them afterwards.

    The converter multiplies each kernel by the batch norm behind it, so it is this product that is rounded.
    """
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
    """Yield each depthwise layer, and the factor by which the batch norm behind it scales each channel.

    The factor is 1 where there is no batch norm or it scales by 0.
    """
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

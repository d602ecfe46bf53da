"""Baselines that a model has to beat: colour histograms, and ImageNet features off the shelf."""

from collections.abc import Sequence

import numpy as np

from embeddings.errors import ModelError
from embeddings.preprocess import INPUT_SIZE, photo_pixels
from embeddings.training.evaluation.metrics import Vectors

_BINS = 8
_AT_ONCE = 64


def colour_histogram(photos: Sequence[bytes]) -> Vectors:
    """Return unit vectors (n, 512): the root of the share of pixels in each of 8 x 8 x 8 RGB bins.

    The cosine of two such vectors is the Bhattacharyya coefficient of the histograms (Bhattacharyya 1943).
    """
    shares = np.empty((len(photos), _BINS**3), np.float32)
    for row, photo in enumerate(photos):
        red, green, blue = (photo_pixels(photo).reshape(-1, 3) // (256 // _BINS)).T.astype(int)
        shares[row] = np.bincount((red * _BINS + green) * _BINS + blue, minlength=_BINS**3)
    roots: Vectors = np.sqrt(shares / shares.sum(axis=1, keepdims=True))
    return roots


class OffTheShelf:
    """MobileNetV2 with ImageNet weights; its last features are averaged over the photo."""

    def __init__(self, weights: str) -> None:
        """Load `weights`: a file without top, or "imagenet" to download them.

        Raises:
            ModelError: they cannot be loaded.
        """
        import keras  # takes ten seconds, and measuring a model file does not need it

        try:
            self._network = keras.applications.MobileNetV2(
                include_top=False, input_shape=(INPUT_SIZE, INPUT_SIZE, 3), weights=weights, pooling="avg"
            )
        except Exception as error:  # Keras raises plain Exception when a download fails
            raise ModelError(f"cannot load MobileNetV2 weights from {weights}: {error}") from error

    def embed(self, photos: Sequence[bytes]) -> Vectors:
        """Return unit vectors (n, 1280)."""
        parts = []
        for start in range(0, len(photos), _AT_ONCE):
            pixels = np.stack([photo_pixels(photo) for photo in photos[start : start + _AT_ONCE]])
            parts.append(np.asarray(self._network.predict_on_batch(pixels / 127.5 - 1.0)))
        features = np.concatenate(parts)
        unit: Vectors = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
        return unit

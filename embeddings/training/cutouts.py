"""Garments cut from the white background of their shop photo."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.training.datasets import Pixels

# Studios retouch to pure white, which leaves room for jpeg noise above the white of most garments. Only white that is
# connected to the photo's border counts as background, so garments keep their insides.
_WHITE = 248
_COARSE = 96


def cut_out(photo: Pixels) -> Image.Image:
    """A shop photo (h, w, 3) as an RGBA image cropped to the garment; the background is transparent.

    A photo that is not on white, or nothing but white, comes back whole and opaque.
    """
    height, width = photo.shape[:2]
    white = Image.fromarray((photo.min(axis=2) >= _WHITE).astype(np.uint8) * 255)
    coarse = np.asarray(white.resize((_COARSE, _COARSE), Image.Resampling.BOX)) > 160
    background = Image.fromarray(_from_border(coarse).astype(np.uint8) * 255)
    # Bilinear upscaling and a small blur soften the edge; the curve moves it inwards, or a white rim would remain.
    alpha = background.resize((width, height), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(1))
    alpha = alpha.point([max(0, 255 - 2 * value) for value in range(256)])
    image = Image.fromarray(photo)
    box = alpha.getbbox()
    if box is None or not _from_border(coarse).any():
        alpha, box = Image.new("L", image.size, 255), (0, 0, width, height)
    image.putalpha(alpha)
    return image.crop(box)


def _from_border(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The cells of `free` that are reached from the border through free cells (4 neighbours)."""
    reached = np.zeros_like(free)
    reached[[0, -1], :] = free[[0, -1], :]
    reached[:, [0, -1]] |= free[:, [0, -1]]
    count = -1
    while count != (count := int(reached.sum())):
        reached[1:] |= reached[:-1]
        reached[:-1] |= reached[1:]
        reached[:, 1:] |= reached[:, :-1]
        reached[:, :-1] |= reached[:, 1:]
        reached &= free
    return reached

"""Garments cut from their photo: a shop photo by its white background, a consumer photo by a mask."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.training.data.photos import DatasetError, LabelledPhoto, Pixels

# Studios retouch the background to pure white. This threshold lies above the white of most garments and leaves room for
# JPEG noise. Only white connected to the photo's border is background, so that garments keep their insides.
_WHITE = 248
_COARSE = 96

_LEAST, _MOST = 0.05, 0.95  # a mask that covers less or more of the photo has missed the garment


def cut_out(photo: Pixels) -> Image.Image:
    """Cut the garment from a shop photo (h, w, 3): an RGBA image cropped to it, with a transparent background.

    A photo without a white background, or with nothing else, is returned whole and opaque.
    """
    height, width = photo.shape[:2]
    white = Image.fromarray((photo.min(axis=2) >= _WHITE).astype(np.uint8) * 255)
    coarse = np.asarray(white.resize((_COARSE, _COARSE), Image.Resampling.BOX)) > 160
    background = Image.fromarray(_from_border(coarse).astype(np.uint8) * 255)
    # Bilinear upscaling and a small blur soften the edge. The curve moves it inwards, which removes the white rim.
    alpha = background.resize((width, height), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(1))
    alpha = alpha.point([max(0, 255 - 2 * value) for value in range(256)])
    image = Image.fromarray(photo)
    box = alpha.getbbox()
    if box is None or not _from_border(coarse).any():
        alpha, box = Image.new("L", image.size, 255), (0, 0, width, height)
    image.putalpha(alpha)
    return image.crop(box)


def cut_out_by_mask(photo: Pixels, mask: Image.Image) -> Image.Image | None:
    """Cut what the mask shows from a photo (h, w, 3): an RGBA image, or None if that is nearly nothing or nearly all.

    The mask is grey, of any size, and white where the garment is.
    """
    image = Image.fromarray(photo)
    alpha = mask.convert("L").resize(image.size, Image.Resampling.BILINEAR)
    kept = np.asarray(alpha) > 127
    if not _LEAST < kept.mean() < _MOST:
        return None
    image.putalpha(alpha)
    return image.crop(Image.fromarray(kept).getbbox())


def read_mask(masks: Path, photo: LabelledPhoto) -> Image.Image:
    """Read a photo's mask: a .png at the photo's path, but below the folder of masks.

    Raises:
        DatasetError: the mask is missing or cannot be decoded.
    """
    path = masks / Path(photo.file).with_suffix(".png")
    try:
        with Image.open(path) as mask:
            return mask.convert("L")
    except (OSError, SyntaxError) as error:
        raise DatasetError(f"cannot read the mask {path} ({error}); every consumer photo needs one") from error


def _from_border(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells of `free` that are connected to the border by free cells (4 neighbours)."""
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

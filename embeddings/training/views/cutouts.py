"""Garments cut from their photo: a shop photo by its white background, a consumer photo by a mask."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.training.data.photos import DatasetError, LabelledPhoto, Pixels

# Studios retouch to pure white, which leaves room for jpeg noise above the white of most garments. Only white that is
# connected to the photo's border counts as background, so garments keep their insides.
_WHITE = 248
_COARSE = 96

_LEAST, _MOST = 0.05, 0.95  # a mask that takes less or more of the photo has not found the garment


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


def cut_out_by_mask(photo: Pixels, mask: Image.Image) -> Image.Image | None:
    """A photo (h, w, 3) as an RGBA image cropped to what the mask keeps; None if that is nearly nothing or all.

    mask: grey, white where the garment is, of any size.
    """
    image = Image.fromarray(photo)
    alpha = mask.convert("L").resize(image.size, Image.Resampling.BILINEAR)
    kept = np.asarray(alpha) > 127
    if not _LEAST < kept.mean() < _MOST:
        return None
    image.putalpha(alpha)
    return image.crop(Image.fromarray(kept).getbbox())


def read_mask(masks: Path, photo: LabelledPhoto) -> Image.Image:
    """The mask of a photo: a .png that lies in the folder of masks as the photo lies in the data set's.

    Raises:
        DatasetError: there is none, or it cannot be decoded.
    """
    path = masks / Path(photo.file).with_suffix(".png")
    try:
        with Image.open(path) as mask:
            return mask.convert("L")
    except (OSError, SyntaxError) as error:
        raise DatasetError(f"cannot read the mask {path} ({error}); every consumer photo needs one") from error


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

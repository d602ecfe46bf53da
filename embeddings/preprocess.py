"""From the bytes of a photo to the pixels a model sees. Indexing and querying share this one path."""

import re
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from embeddings.errors import BrokenPhotoError, EmptyPhotoError, PhotoTooLargeError, UnsupportedPhotoError

# Part of an index's identity: vectors made by another version of this file must not meet. Raise it when pixels change.
PREPROCESS_VERSION = 1

INPUT_SIZE = 160
"""Side in pixels of the square a model sees."""

_FORMATS = ("JPEG", "PNG", WebPImagePlugin.WebPImageFile.format)
_FIRST_BYTES = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)

# JPEG may be decoded at 1/2, 1/4 or 1/8 as long as the searched box keeps this many pixels a side. At 640 pixels the
# result is within 42 dB of the plain path's and the neighbours stay; at 320 (36 dB) they begin to change.
_DRAFT_SIDE = 4 * INPUT_SIZE

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# The plugins are imported here, not at the first photo; without WebP's by name, Pillow would import all sixty of them.
Image.preinit()

# Pillow's own guard only warns below twice its limit; `Limits.max_pixels` refuses, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class Box(NamedTuple):
    """A part of the upright photo, in fractions of its width and height (0-1), from the top left."""

    x: float
    y: float
    width: float
    height: float


WHOLE_PHOTO = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Limits:
    """What a photo may cost: its encoded size in bytes, and width x height in pixels."""

    max_bytes: int = 10_000_000
    max_pixels: int = 50_000_000


DEFAULT_LIMITS = Limits()


def photo_pixels(photo: bytes, box: Box = WHOLE_PHOTO, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode an encoded photo to upright RGB and scale `box` of it to the model's input.

    Args:
        photo: a JPEG, PNG or WebP file's content; of an animation the first frame counts.
        box: the part to look at, on the upright photo.
        limits: checked before the pixels are decoded.

    Returns:
        uint8 array (160, 160, 3), RGB, 0-255; transparent parts are white.

    Raises:
        EmptyPhotoError, PhotoTooLargeError, UnsupportedPhotoError, BrokenPhotoError.
    """
    image: Image.Image = _open(photo, limits)
    try:
        if image.format in ("JPEG", "MPO"):
            side_needed = round(_DRAFT_SIDE / min(box.width, box.height))
            image.draft(None, (side_needed, side_needed))
        image.load()
        image = _rgb(_upright(image))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError) as error:
        raise BrokenPhotoError(f"the image is truncated or damaged ({error}); save it again and retry") from error
    left, top = box.x * image.width, box.y * image.height
    corners = (
        left,
        top,
        min(left + box.width * image.width, image.width),
        min(top + box.height * image.height, image.height),
    )
    return np.asarray(image.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BOX, box=corners))


def _open(photo: bytes, limits: Limits) -> Image.Image:
    """Read the header only, and refuse what is not worth decoding."""
    if not photo:
        raise EmptyPhotoError("the photo is empty (0 bytes); choose a file with an image in it")
    if len(photo) > limits.max_bytes:
        raise PhotoTooLargeError(
            f"the photo has {len(photo):,} bytes, the limit is {limits.max_bytes:,}; send it smaller"
        )
    try:
        image = Image.open(BytesIO(photo), formats=_FORMATS)
    except (OSError, ValueError, EOFError) as error:  # UnidentifiedImageError is an OSError
        if _FIRST_BYTES.match(photo):
            raise BrokenPhotoError("the image is truncated or damaged; save it again and retry") from error
        raise UnsupportedPhotoError("this is not a JPEG, PNG or WebP image; convert it and retry") from error
    if image.width * image.height > limits.max_pixels:
        raise PhotoTooLargeError(
            f"the photo has {image.width} x {image.height} pixels, the limit is {limits.max_pixels:,}; send it smaller"
        )
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; metadata that cannot be read means none.

    `ImageOps.exif_transpose` does the same and then rewrites the EXIF block, which fails on damaged ones.
    """
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError, TypeError):
        return image
    method = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if method is None else image.transpose(method)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB; transparency becomes white."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion clips at 255 instead of scaling
        return Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")

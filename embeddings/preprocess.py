"""Turn the bytes of a photo into the pixels a model sees. Indexing and querying share this one path."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from embeddings.colour_profile import is_srgb, to_srgb
from embeddings.decode_guards import PixelBudget, structure_problem
from embeddings.errors import BrokenPhotoError, EmptyPhotoError, PhotoTooLargeError, UnsupportedPhotoError
from embeddings.file_repair import completed_jpeg, lacks_pixels, mended_png

# An index records it: vectors that different versions made must never be compared. Raise it when pixels change.
PREPROCESS_VERSION = 2

INPUT_SIZE = 160
"""Pixels on each side of the square that a model sees."""

_JPEG = ("JPEG", "MPO")
_FORMATS = ("JPEG", "PNG", WebPImagePlugin.WebPImageFile.format)
FIRST_BYTES = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)
"""Matches the start of every photo that can be read, at most 12 bytes."""

# A JPEG is decoded at 1/2, 1/4 or 1/8 as long as the box keeps this many pixels a side. On photos of 12 megapixels the
# top 16 then overlap by 0.97 with those of the whole decoded photo; with 320 pixels a side, by 0.96.
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

# Import the plugins now rather than at the first photo. `preinit` leaves out WebP: without the import above, Pillow
# would look for it in all its sixty plugins.
Image.preinit()

# Below twice its limit Pillow's own guard only warns; `Limits.max_pixels` refuses, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

# Pillow warns of odd metadata and quotes the file: one photo could write 65,000 lines to the log, and Python would
# remember each of them.
warnings.filterwarnings("ignore", module=r"PIL\.")

# Decoding takes up to 16 bytes a pixel (WebP). All threads together decode no more than one photo may have.
_BUDGET = PixelBudget()


class Box(NamedTuple):
    """A part of the upright photo, in fractions of its width and height (0-1), from the top left."""

    x: float
    y: float
    width: float
    height: float


def checked_box(parts: Sequence[float]) -> Box:
    """Make a box from x, y, width and height.

    Raises:
        ValueError: these are not four, or the box leaves the photo or is less than 0.01 of it wide or high.
    """
    x, y, width, height = parts
    # A box drawn to the edge may exceed it by a rounding error: a client's six decimals, and this sum's own.
    right, bottom = round(x + width, 6), round(y + height, 6)
    inside = x >= 0 and y >= 0 and right <= 1.000001 and bottom <= 1.000001
    if not (inside and width >= 0.01 and height >= 0.01):
        raise ValueError(f"{x:g},{y:g},{width:g},{height:g} is not a box in a photo")
    return Box(x, y, width, height)


WHOLE_PHOTO = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Limits:
    """The largest photo to accept: its encoded size in bytes, and its width x height in pixels."""

    max_bytes: int = 10_000_000
    max_pixels: int = 50_000_000


DEFAULT_LIMITS = Limits()


def photo_pixels(photo: bytes, box: Box = WHOLE_PHOTO, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode an encoded photo to upright RGB and scale `box` of it to the model's input.

    Args:
        photo: the content of a JPEG, PNG or WebP file; of an animation, the first frame is taken.
        box: the part of the upright photo to look at.
        limits: checked before the pixels are decoded.

    Returns:
        uint8 array (160, 160, 3), RGB, 0-255; transparent parts are white.

    Raises:
        PhotoError: the photo is empty, too large, in another format, or broken; there is a subclass for each.
        ValueError: the box is empty or begins outside the photo.
    """
    if not (0 <= box.x < 1 and 0 <= box.y < 1 and box.width > 0 and box.height > 0):
        raise ValueError(f"{box} is not a part of a photo; give fractions from 0 to 1")
    image = _open(photo, limits)
    try:
        return _scaled(photo, image, box, limits)
    except MemoryError:
        raise
    except Exception as error:  # on damage Pillow's plugins raise all kinds, AssertionError among them
        raise BrokenPhotoError(f"the image is truncated or damaged ({error}); save it again and retry") from error


def _scaled(photo: bytes, image: Image.Image, box: Box, limits: Limits) -> NDArray[np.uint8]:
    width, height = float(image.width), float(image.height)
    pixels = image.width * image.height
    draft = None
    if image.format in _JPEG:
        part = _as_stored(box, _orientation(image))
        draft = (round(_DRAFT_SIDE / part.width), round(_DRAFT_SIDE / part.height))
        drafted = image.draft(None, draft)
        if drafted is not None:  # in fractions: the last column and row may be less than a whole pixel
            width, height = drafted[1][2:]
        if "progressive" not in image.info:  # of a progressive one, the decoder holds all pixels at any scale
            pixels = image.width * image.height
    with _BUDGET.hold(pixels, limits.max_pixels):
        image = _loaded(photo, image, draft)
        orientation = _orientation(image)  # a PNG may have its EXIF data behind the pixels
        part = _as_stored(box, orientation)
        left, top = part.x * width, part.y * height
        right, bottom = min(left + part.width * width, width), min(top + part.height * height, height)
        profile = image.info.get("icc_profile")
        if not profile or is_srgb(profile):
            profile = None
        opaque = image if profile and image.mode in ("CMYK", "L") else _rgb(image)
        small = opaque.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BOX, box=(left, top, right, bottom))
    if profile:  # converts 25,600 pixels rather than millions; doing it before the scaling looks no different
        small = to_srgb(small, profile)
    method = _UPRIGHT.get(orientation)
    return np.asarray(small if method is None else small.transpose(method))


def _loaded(photo: bytes, image: Image.Image, draft: tuple[int, int] | None) -> Image.Image:
    """Decode the pixels. Complete a JPEG that breaks off, if hardly any pixels are missing."""
    try:
        image.load()
    except OSError:
        if draft is None:
            raise
        image.close()  # frees its pixels: never two images at once
        completed = Image.open(BytesIO(completed_jpeg(photo)), formats=_FORMATS)
        completed.draft(None, draft)
        completed.load()
        if lacks_pixels(completed):
            raise
        return completed
    return image


def _open(photo: bytes, limits: Limits) -> Image.Image:
    """Read the header alone, and refuse what should not be decoded."""
    if not photo:
        raise EmptyPhotoError("the photo is empty (0 bytes); choose a file with an image in it")
    if len(photo) > limits.max_bytes:
        raise PhotoTooLargeError(
            f"the photo has {len(photo):,} bytes, the limit is {limits.max_bytes:,}; send it smaller"
        )
    if problem := structure_problem(photo):
        raise BrokenPhotoError(f"the image is damaged, or made to be slow to read ({problem}); save it again and retry")
    is_png = photo.startswith(b"\x89PNG")
    try:
        image = Image.open(BytesIO(mended_png(photo) if is_png else photo), formats=_FORMATS)
    except (OSError, ValueError, EOFError) as error:  # UnidentifiedImageError is an OSError
        if FIRST_BYTES.match(photo):
            raise BrokenPhotoError("the image is truncated or damaged; save it again and retry") from error
        raise UnsupportedPhotoError("this is not a JPEG, PNG or WebP image; convert it and retry") from error
    if image.width * image.height > limits.max_pixels:
        raise PhotoTooLargeError(
            f"the photo has {image.width} x {image.height} pixels, the limit is {limits.max_pixels:,}; send it smaller"
        )
    if is_png:
        _scale_transparency(image, depth=photo[24])
    return image


def _scale_transparency(image: Image.Image, depth: int) -> None:
    """Scale the transparent colour of a PNG with 2, 4 or 16 bits a sample to the 8 bits of Pillow's pixels."""
    transparent = image.info.get("transparency")
    if image.mode == "RGB" and transparent is not None and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    elif image.mode == "L" and transparent is not None:
        image.info["transparency"] = min(transparent * 255 // (2**depth - 1), 255)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1-8; a photo without one, or with damaged EXIF data, is upright.

    Unlike `Image.getexif` it does not look for one in XMP, since browsers do not either.
    """
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        orientation = exif.get(_ORIENTATION_TAG)
    except Exception:  # noqa: BLE001 - on damage Pillow raises all kinds
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _as_stored(box: Box, orientation: int) -> Box:
    """Return where a box of the upright photo lies in the pixels as stored."""
    x, y, width, height = (box.y, box.x, box.height, box.width) if orientation >= 5 else box
    if orientation in (2, 3, 7, 8):
        x = max(1 - x - width, 0.0)
    if orientation in (3, 4, 6, 7):
        y = max(1 - y - height, 0.0)
    return Box(x, y, width, height)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode to RGB; what is transparent becomes white."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        values = np.asarray(image).clip(0, 65535)
        grey = (values >> 8).astype(np.uint8)
        grey[values == image.info.get("transparency", -1)] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")  # to convert RGBA is to copy it
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")

"""Convert colours from an embedded colour profile to sRGB, as browsers do."""

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_NAME_BYTES = 4096  # a profile's name is near its beginning
_SRGB = (b"sRGB", "sRGB".encode("utf-16-be"))


def is_srgb(profile: bytes) -> bool:
    """Tell whether an ICC profile calls itself sRGB, as most do; there is nothing to convert then."""
    return any(name in profile[:_NAME_BYTES] for name in _SRGB)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an image (RGB, L or CMYK) from the colours of its ICC profile to sRGB, mode RGB.

    A profile that is damaged, or is for another mode, is ignored.
    """
    from PIL import ImageCms  # most photos need none, and a cold start would pay for it

    try:
        converted = ImageCms.applyTransform(image, _transform(profile, image.mode))
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return image.convert("RGB") if converted is None else converted


@lru_cache(maxsize=4)  # a printer's profile takes 35 ms to prepare, a display's 3; a gallery holds few different ones
def _transform(profile: bytes, mode: str) -> "ImageCmsTransform":
    from PIL import ImageCms

    return ImageCms.buildTransform(BytesIO(profile), ImageCms.createProfile("sRGB"), mode, "RGB")

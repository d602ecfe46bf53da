"""Colours as browsers show them: what an embedded colour profile says, in sRGB."""

from io import BytesIO

from PIL import Image

_NAME_BYTES = 4096  # a profile's description stands near its beginning
_SRGB = (b"sRGB", "sRGB".encode("utf-16-be"))


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile calls itself sRGB, as most do: there is nothing to convert then."""
    return any(name in profile[:_NAME_BYTES] for name in _SRGB)


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert an image (RGB, L or CMYK) by its ICC profile to sRGB, mode RGB, with the profile's perceptual intent.

    A damaged profile, or one of another mode's colours, counts as none.
    """
    from PIL import ImageCms  # most photos need none, and a cold start would pay for it

    try:
        converted = ImageCms.profileToProfile(image, BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None
    return image.convert("RGB") if converted is None else converted

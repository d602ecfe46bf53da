"""Embedded colour profiles: the index sees the colours that browsers show."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from embeddings.preprocess import photo_pixels
from tests.icc import CYAN, cmyk_profile, grey_profile, swapped_profile

ROOT = Path(__file__).parents[1]
RED = (200, 30, 30)
GREEN = (24, 201, 24)  # what RED looks like on the swapped display


def plain(colour: tuple[int, ...], mode: str = "RGB", format: str = "JPEG", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, (200, 300), colour).save(file, format, quality=95, **options)
    return file.getvalue()


def colour_of(photo: bytes) -> NDArray[np.int64]:
    return photo_pixels(photo)[80, 80].astype(int)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_profile_is_converted(format: str) -> None:
    assert colour_of(plain(RED, format=format, icc_profile=swapped_profile())) == pytest.approx(GREEN, abs=3)


def test_a_printers_cyan_is_not_the_screens() -> None:
    cyan = (255, 0, 0, 0)
    assert colour_of(plain(cyan, "CMYK", icc_profile=cmyk_profile())) == pytest.approx(CYAN, abs=3)
    assert colour_of(plain(cyan, "CMYK")) == pytest.approx((0, 255, 255), abs=3)
    assert colour_of(plain((0, 0, 0, 0), "CMYK", icc_profile=cmyk_profile())) == pytest.approx((255, 255, 255), abs=3)


def test_a_grey_photos_profile_is_converted() -> None:
    linear = plain((128,), "L", icc_profile=grey_profile(1.0))
    assert colour_of(linear) == pytest.approx((188, 188, 188), abs=2)
    assert colour_of(plain((128,), "L")) == pytest.approx((128, 128, 128), abs=2)


def test_transparent_parts_stay_white_under_a_profile() -> None:
    pixels = photo_pixels(plain((*RED, 0), "RGBA", "PNG", icc_profile=swapped_profile()))
    assert pixels.min() >= 254


@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", swapped_profile()[:300], cmyk_profile(), swapped_profile()[:-40] + bytes(40)],
    ids=["text", "cut", "of another mode", "without a blue"],
)
def test_a_damaged_or_foreign_profile_counts_as_none(profile: bytes) -> None:
    assert np.isfinite(colour_of(plain(RED, icc_profile=profile))).all()
    if profile != swapped_profile()[:-40] + bytes(40):  # lcms reads that one, whatever it is worth
        assert (colour_of(plain(RED, icc_profile=profile)) == colour_of(plain(RED))).all()


def test_srgb_itself_costs_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    code = "import sys; from embeddings.preprocess import photo_pixels; photo_pixels(sys.stdin.buffer.read()); "
    code += "print('PIL.ImageCms' in sys.modules)"
    for profile, imported in ((srgb, "False"), (swapped_profile(), "True")):
        photo = plain(RED, icc_profile=profile)
        answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=photo, capture_output=True, check=True)
        assert answer.stdout.decode().strip() == imported

from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from embeddings.errors import BrokenPhotoError, EmptyPhotoError, PhotoError, PhotoTooLargeError, UnsupportedPhotoError
from embeddings.preprocess import Box, Limits, photo_pixels
from tests.photos import encoded, encoded_as_held, huge_png, photo

QUARTERS = ((255, 0, 0), (0, 160, 0), (0, 0, 255), (255, 255, 0))


def quarters(size: tuple[int, int] = (320, 480)) -> Image.Image:
    """Draw red, green / blue, yellow: any turn or flip shows."""
    return Image.fromarray(
        np.array([QUARTERS[:2], QUARTERS[2:]], dtype=np.uint8),
    ).resize(size, Image.Resampling.NEAREST)


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(value) for value in pixels[y, x]) for y in (20, 140) for x in (20, 140)]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("format", "tolerance"), [("JPEG", 3), ("PNG", 0), ("WEBP", 6)])
def test_photos_are_turned_upright(format: str, tolerance: int, orientation: int) -> None:
    seen = corners(photo_pixels(encoded_as_held(quarters(), orientation, format)))
    np.testing.assert_allclose(seen, QUARTERS, atol=tolerance)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("junk", [b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x63" * 5, b"MM\0*", b"MM", b"XX"])
def test_unreadable_exif_means_no_orientation(junk: bytes) -> None:
    with_junk = encoded(quarters(), "JPEG", exif=b"Exif\0\0" + junk)
    np.testing.assert_allclose(corners(photo_pixels(with_junk)), QUARTERS, atol=3)


MODES = {
    "palette": lambda: quarters().quantize(8),
    "1-bit": lambda: Image.new("1", (50, 50), 1),
    "grey": lambda: Image.new("L", (50, 50), 255),
    "grey and alpha": lambda: Image.new("LA", (50, 50), (0, 0)),
    "16-bit grey": lambda: Image.fromarray(np.full((50, 50), 65535, dtype=np.uint16)),
    "transparent": lambda: Image.new("RGBA", (50, 50), (200, 0, 0, 0)),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb(mode: str) -> None:
    pixels = photo_pixels(encoded(MODES[mode]()))
    assert pixels.shape == (160, 160, 3)
    assert pixels.dtype == np.uint8
    if mode == "palette":
        np.testing.assert_allclose(corners(pixels), QUARTERS, atol=2)
    else:
        assert (pixels == 255).all(), "white stays white, and transparent becomes white"


@pytest.mark.parametrize(("stored", "seen"), [(0, 0), (1, 0), (255, 0), (256, 1), (32768, 128), (65535, 255)])
def test_16_bits_are_scaled_not_clipped(stored: int, seen: int) -> None:
    grey = Image.fromarray(np.full((50, 50), stored, dtype=np.uint16))
    assert (photo_pixels(encoded(grey)) == seen).all()


def test_half_transparent_pixels_lie_on_white() -> None:
    pixels = photo_pixels(encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 128))))
    np.testing.assert_allclose(pixels, 127, atol=1)


def test_the_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (50, 50), 3)
    image.putpalette([0, 0, 0] * 10)
    assert (photo_pixels(encoded(image, transparency=3)) == 255).all()


def test_cmyk_has_its_colours_the_right_way_round() -> None:
    pixels = photo_pixels(encoded(Image.new("RGB", (90, 90), (255, 0, 0)).convert("CMYK"), "JPEG"))
    np.testing.assert_allclose(pixels[80, 80], (254, 0, 0), atol=3)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_the_first_frame_of_an_animation_counts(format: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]
    animated = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(photo_pixels(animated)[80, 80], (255, 0, 0), atol=6)


def test_an_mpo_is_read_as_a_jpeg() -> None:
    several = encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (320, 480))])
    np.testing.assert_allclose(corners(photo_pixels(several)), QUARTERS, atol=3)


def test_the_filter_is_a_box_of_equal_weights() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (640, 480, 3), dtype=np.uint8)
    expected = image.reshape(160, 4, 160, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(
        photo_pixels(encoded(Image.fromarray(image))), expected, atol=1
    )  # Pillow rounds after each direction


def test_a_large_jpeg_is_decoded_at_a_smaller_scale_and_looks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of each side for the whole photo; a small box needs all the pixels it has."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (40, 30, 3), dtype=np.uint8))
    large = encoded(coarse.resize((3000, 4000), Image.Resampling.BICUBIC), "JPEG", quality=90)
    plain = np.asarray(Image.open(BytesIO(large)).resize((160, 160), Image.Resampling.BOX)).astype(float)
    decoded = sizes_that_are_scaled(monkeypatch)
    fast = photo_pixels(large).astype(float)
    photo_pixels(large, Box(0.4, 0.4, 0.25, 0.25))
    assert decoded == [(750, 1000), (3000, 4000)]
    assert 10 * np.log10(255**2 / np.mean((fast - plain) ** 2)) > 40


def test_a_large_mpo_is_decoded_at_a_smaller_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    several = encoded(quarters((1280, 1920)), "MPO", save_all=True, append_images=[Image.new("RGB", (320, 480))])
    decoded = sizes_that_are_scaled(monkeypatch)
    np.testing.assert_allclose(corners(photo_pixels(several)), QUARTERS, atol=3)
    assert decoded == [(640, 960)]


def sizes_that_are_scaled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record the sizes of decoded photos from now on, as they are scaled to the model's input."""
    seen: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def watched(self: Image.Image, *arguments: Any, **options: Any) -> Image.Image:
        seen.append(self.size)
        return resize(self, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    return seen


@pytest.mark.parametrize("size", [(2561, 3001), (2563, 2567)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_smaller_scale_shifts_nothing_on_odd_sizes(size: tuple[int, int], orientation: int) -> None:
    """At 1/4 the last column is less than a whole pixel wide, so the decoded photo is a little wider than a quarter."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (20, 15, 3), dtype=np.uint8))
    image = coarse.resize(size, Image.Resampling.BICUBIC)
    content = encoded_as_held(image, orientation, "JPEG", quality=95)
    plain = np.asarray(image.resize((160, 160), Image.Resampling.BOX))
    difference = photo_pixels(content).astype(float) - plain
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 43


def test_too_little_memory_is_not_the_photos_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", full)
    with pytest.raises(MemoryError):
        photo_pixels(photo("red"))


def test_no_bytes_are_an_empty_photo() -> None:
    with pytest.raises(EmptyPhotoError, match="empty"):
        photo_pixels(b"")


@pytest.mark.parametrize("content", [b"hello, I am text", b"\0" * 5000, b"GIF89a" + b"\0" * 99, b"<svg/>"])
def test_other_formats_are_unsupported(content: bytes) -> None:
    with pytest.raises(UnsupportedPhotoError, match="JPEG, PNG or WebP"):
        photo_pixels(content)


def test_other_formats_that_pillow_knows_are_unsupported() -> None:
    for format in ("GIF", "BMP", "TIFF", "PPM"):
        with pytest.raises(UnsupportedPhotoError):
            photo_pixels(encoded(Image.new("RGB", (20, 20)), format))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_truncated_photos_are_broken(format: str, part: float) -> None:
    whole = encoded(Image.effect_noise((300, 300), 80).convert("RGB"), format)
    with pytest.raises(BrokenPhotoError, match="truncated"):
        photo_pixels(whole[: int(len(whole) * part)])


def test_a_palette_photo_without_its_palette_is_broken() -> None:
    whole = encoded(quarters().quantize(8))
    start = whole.index(b"PLTE") - 4
    length = int.from_bytes(whole[start : start + 4], "big")
    with pytest.raises(BrokenPhotoError):
        photo_pixels(whole[:start] + whole[start + 12 + length :])


def test_limits_hold_before_anything_is_decoded() -> None:
    with pytest.raises(PhotoTooLargeError, match="10000 x 6000"):
        photo_pixels(huge_png())
    with pytest.raises(PhotoTooLargeError, match="1,000"):
        photo_pixels(photo("red"), limits=Limits(max_bytes=1_000))
    assert Limits() == Limits(max_bytes=10_000_000, max_pixels=50_000_000)
    exactly = photo("red")
    photo_pixels(exactly, limits=Limits(max_bytes=len(exactly), max_pixels=300 * 400))
    with pytest.raises(PhotoTooLargeError, match="119,999"):
        photo_pixels(exactly, limits=Limits(max_pixels=300 * 400 - 1))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.data())
def test_a_damaged_photo_is_read_or_raises_a_photo_error(format: str, data: st.DataObject) -> None:
    content = bytearray(photo("teal", (64, 48), format))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PhotoError):
        assert photo_pixels(bytes(content), limits=Limits(max_pixels=1_000_000)).shape == (160, 160, 3)

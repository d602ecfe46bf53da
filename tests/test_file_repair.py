"""Files that are a little damaged are read as browsers read them; files that lack pixels are refused."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embeddings.errors import BrokenPhotoError
from embeddings.preprocess import Box, photo_pixels
from tests.icc import swapped_profile
from tests.photos import photo

JPEG = photo("red", (600, 800), quality=90)
PROGRESSIVE = photo("red", (600, 800), progressive=True)
PNG = photo("red", format="PNG")
XMP_TURNED = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'


def chunk(kind: bytes, content: bytes = b"", *, damaged: bool = False) -> bytes:
    checksum = zlib.crc32(kind + content) ^ damaged
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunks(*chunks: bytes, png: bytes = PNG) -> bytes:
    """The PNG with the chunks after its header."""
    header = 8 + 25
    return png[:header] + b"".join(chunks) + png[header:]


@pytest.mark.parametrize(("format", "option"), [("JPEG", "xmp"), ("WEBP", "xmp")])
def test_the_orientation_comes_from_exif_alone(format: str, option: str) -> None:
    options: dict[str, Any] = {option: XMP_TURNED}
    turned = photo("red", format=format, **options)
    assert (photo_pixels(turned) == photo_pixels(photo("red", format=format))).all()


def test_an_orientation_in_a_pngs_xmp_or_text_is_ignored() -> None:
    xmp = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = "\nexif\n  1\n" + (b"Exif\0\0" + exif.tobytes()).hex()
    text = chunk(b"tEXt", b"Raw profile type exif\0" + profile.encode())
    for added in (xmp, text):
        assert (photo_pixels(with_chunks(added)) == photo_pixels(PNG)).all()


def test_exif_wins_over_xmp() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = photo_pixels(photo("red", exif=exif, xmp=XMP_TURNED))
    assert (turned == photo_pixels(photo("red"))[::-1, ::-1]).mean() > 0.99


@pytest.mark.parametrize(
    "whole", [JPEG, PROGRESSIVE, photo("red", (4000, 3000))], ids=["baseline", "progressive", "drafted"]
)
@pytest.mark.parametrize("cut", [1, 2, 10])
def test_a_jpeg_that_lacks_only_its_last_bytes_is_read(whole: bytes, cut: int) -> None:
    difference = np.abs(photo_pixels(whole[:-cut]).astype(int) - photo_pixels(whole))
    assert difference.mean() < 0.5
    assert (photo_pixels(whole[:-cut], Box(0.2, 0.2, 0.3, 0.3)) == photo_pixels(whole, Box(0.2, 0.2, 0.3, 0.3))).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_jpeg_that_lacks_pixels_is_refused(mode: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).convert(mode).save(file, "JPEG")
    whole = file.getvalue()
    photo_pixels(whole)
    with pytest.raises(BrokenPhotoError, match="truncated"):
        photo_pixels(whole[: -round(share * len(whole))])


def test_a_jpeg_that_ends_in_its_header_is_refused() -> None:
    for length in (20, 200, JPEG.index(b"\xff\xda") + 10):
        with pytest.raises(BrokenPhotoError):
            photo_pixels(JPEG[:length])


DAMAGED = {
    "text": chunk(b"tEXt", b"Comment\0hello", damaged=True),
    "international text": chunk(b"iTXt", b"Comment\0\0\0\0\0hello", damaged=True),
    "profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()), damaged=True),
    "profile that does not unpack": chunk(b"iCCP", b"x\0\0" + b"junk"),
    "profile of another method": chunk(b"iCCP", b"x\0\1" + zlib.compress(swapped_profile())),
    "profile of two megabytes": chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(2_000_000))),
    "size in metres": chunk(b"pHYs", bytes(9), damaged=True),
    "EXIF": chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", damaged=True),
    "time": chunk(b"tIME", bytes(7), damaged=True),
    "short gamma": chunk(b"gAMA", b"\0"),
    "short primaries": chunk(b"cHRM", b"\0"),
    "empty intent": chunk(b"sRGB"),
    "text of two megabytes": chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(2_000_000))),
    "transparent colour": chunk(b"tRNS", bytes(6), damaged=True),
    "short transparent colour": chunk(b"tRNS", bytes(1)),
    "animation": chunk(b"acTL", b"\0"),
    "unknown": chunk(b"quIx", b"?", damaged=True),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_metadata_of_a_png_count_as_absent(name: str) -> None:
    assert (photo_pixels(with_chunks(DAMAGED[name])) == photo_pixels(PNG)).all()


def test_of_two_profiles_the_first_counts() -> None:
    first = chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()))
    once, twice = with_chunks(first), with_chunks(first, chunk(b"iCCP", b"y\0\0" + zlib.compress(b"other")))
    assert (photo_pixels(twice) == photo_pixels(once)).all()
    assert (photo_pixels(once) != photo_pixels(PNG)).any()


def test_a_damaged_profile_does_not_hide_a_sound_one() -> None:
    sound = chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()))
    damaged = chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile()), damaged=True)
    assert (photo_pixels(with_chunks(damaged, sound)) == photo_pixels(with_chunks(sound))).all()


@pytest.mark.parametrize("kind", [b"tRNS", b"tEXt", b"iCCP"])
def test_a_png_that_ends_with_its_first_chunk_is_refused(kind: bytes) -> None:
    with pytest.raises(BrokenPhotoError):
        photo_pixels(PNG[:8] + chunk(kind))


def test_sound_metadata_of_a_png_still_count() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = chunk(b"eXIf", exif.tobytes()[6:])
    assert (photo_pixels(with_chunks(turned)) == np.rot90(photo_pixels(PNG), -1)).all()


def test_a_damaged_pixel_chunk_is_still_refused() -> None:
    at = PNG.index(b"IDAT") + 20
    with pytest.raises(BrokenPhotoError):
        photo_pixels(PNG[:at] + bytes([PNG[at] ^ 255]) + PNG[at + 1 :])


def _png(width: int, depth: int, colour_type: int, row: bytes, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, depth, colour_type, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(width * (b"\0" + row)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND")


TRANSPARENT: dict[str, Callable[[], bytes]] = {
    "16-bit grey": lambda: _png(4, 16, 0, 4 * b"\x12\x34", chunk(b"tRNS", b"\x12\x34")),
    "16-bit colour": lambda: _png(4, 16, 2, 4 * b"\x12\x34\x56\x78\x9a\0", chunk(b"tRNS", b"\x12\x34\x56\x78\x9a\0")),
    "8-bit grey": lambda: _png(4, 8, 0, 4 * b"\x12", chunk(b"tRNS", b"\0\x12")),
    "8-bit colour": lambda: _png(4, 8, 2, 4 * b"\x12\x34\x56", chunk(b"tRNS", b"\0\x12\0\x34\0\x56")),
    "4-bit grey": lambda: _png(4, 4, 0, b"\x55\x55", chunk(b"tRNS", b"\0\5")),
    "2-bit grey": lambda: _png(4, 2, 0, b"\x55", chunk(b"tRNS", b"\0\1")),
    "1-bit": lambda: _png(8, 1, 0, b"\0", chunk(b"tRNS", b"\0\0")),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSPARENT)
def test_the_transparent_colour_is_white_at_every_depth(name: str) -> None:
    assert (photo_pixels(TRANSPARENT[name]()) == 255).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_another_colour_than_the_transparent_one_stays(depth: int) -> None:
    black = _png(8, depth, 0, bytes(depth), chunk(b"tRNS", b"\0\1"))
    assert (photo_pixels(black) == 0).all()

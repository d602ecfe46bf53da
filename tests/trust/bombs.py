"""Photos that are small to send and expensive to read."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from tests.photos import huge_png, photo

_LARGE = 9_500_000  # just under the limit for uploads


def jpeg(segment: bytes) -> bytes:
    """Make a JPEG with this segment in its header as often as fits."""
    plain = photo("red", (16, 16))
    return plain[:2] + segment * (_LARGE // len(segment)) + plain[2:]


def many_scans(size: tuple[int, int] = (4000, 3000), scans: int = 5000) -> bytes:
    """Make a progressive JPEG that repeats its last scan."""
    whole = large("JPEG", "RGB", size)
    return whole[:-2] + whole[whole.rindex(b"\xff\xda") : -2] * scans + whole[-2:]


def hidden_scans() -> bytes:
    """Hide such scans from a parser that takes a marker without a length for one with a length, and skips them."""
    whole = many_scans(scans=0)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + (b"\xff\x01\xff\x03" + scan) * 5000 + whole[-2:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(added: bytes, *, before: bytes = b"IDAT") -> bytes:
    """Make a PNG with these chunks, as often as fits, before the first one of the kind `before`."""
    plain = photo("red", (16, 16), "PNG")
    at = plain.index(before) - 4
    return plain[:at] + added * (_LARGE // len(added)) + plain[at:]


def large(format: str, mode: str, size: tuple[int, int] = (2000, 2000)) -> bytes:
    """Make a photo of one colour: a file of a few hundred bytes to some kilobytes."""
    file = BytesIO()
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True, "quality": 0, "method": 0},
        "JPEG": {"progressive": True},
    }
    Image.new(mode, size).save(file, format, **options.get(format, {}))
    return file.getvalue()


def _exif(entries: int, size: int) -> bytes:
    """Make an EXIF directory of which each entry claims to be all of the data."""
    body = b"".join(struct.pack(">HHLL", 0x8000 + number, 7, size, 8) for number in range(entries))
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", entries) + body + bytes(size)


def _exif_png() -> bytes:
    plain = photo("red", (16, 16), "PNG")
    at = plain.index(b"IDAT") - 4
    return plain[:at] + chunk(b"eXIf", _exif(30_000, 1_000_000)) + plain[at:]


# These are refused before they are decoded.
REFUSED: dict[str, Callable[[], bytes]] = {
    "5,000 scans": many_scans,
    "5,000 scans behind lone markers": hidden_scans,
    "2.4 million empty comments": lambda: jpeg(b"\xff\xfe\0\2"),
    "9.5 million bytes of padding": lambda: jpeg(b"\xff"),
    "4.8 million starts of an image": lambda: jpeg(b"\xff\xd8"),
    "4.8 million ends of an image": lambda: jpeg(b"\xff\xd9"),
    "junk between segments": lambda: jpeg(b"\xff\xfe\0\2" + bytes(50)),
    "800,000 chunks before the pixels": lambda: png(chunk(b"teXt")),
    "800,000 chunks behind the pixels": lambda: png(chunk(b"teXt"), before=b"IEND"),
    "800,000 empty pieces of pixels": lambda: png(chunk(b"IDAT")),
    "9,000 colour profiles of a megabyte": lambda: png(chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(900_000), 9))),
    "9,000 texts of a megabyte": lambda: png(chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1_000_000), 9))),
    "a PNG that claims 4 gigapixels": lambda: huge_png(65_535, 65_535),
    "a WebP that claims 268 megapixels": lambda: _large_webp(16_383),
    "a JPEG that claims 4 gigapixels": lambda: _claim(photo("red", (16, 16)), 65_535, 65_535),
}  # fmt: skip

# These are read within bounds.
READ: dict[str, Callable[[], bytes]] = {
    "65,535 pixels wide": lambda: large("PNG", "RGB", (65_535, 60)),
    "65,500 pixels high": lambda: large("JPEG", "RGB", (60, 65_500)),
    "texts of 100 megabytes": lambda: png(chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(100_000_000), 9))),
    "30,000 entries of EXIF, a megabyte each": _exif_png,
    "transparent PNG": lambda: large("PNG", "RGBA"),
    "PNG": lambda: large("PNG", "RGB"),
    "grey and transparent PNG": lambda: large("PNG", "LA"),
    "16-bit PNG": lambda: large("PNG", "I;16"),
    "WebP": lambda: large("WEBP", "RGB"),
    "transparent WebP": lambda: large("WEBP", "RGBA"),
    "progressive JPEG": lambda: large("JPEG", "CMYK"),
    "large segments": lambda: jpeg(b"\xff\xfe\xff\xff" + b"\xff" * 65_533),
}


def _claim(content: bytes, width: int, height: int) -> bytes:
    """Make the JPEG claim this size."""
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def _large_webp(side: int) -> bytes:
    """Make a lossless WebP that claims this size: 14 bits each for width - 1 and height - 1."""
    content = large("WEBP", "RGB", (16, 16))
    at = content.index(b"VP8L") + 9
    return content[:at] + struct.pack("<I", (side - 1) | (side - 1) << 14) + content[at + 4 :]

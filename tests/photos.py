"""Photos for tests, drawn when they are needed."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

_HOW_THE_CAMERA_LAY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(image: Image.Image, format: str = "PNG", **save_options: Any) -> bytes:
    """Encode an image as a file's content; `save_options` are Pillow's."""
    file = BytesIO()
    image.save(file, format, **save_options)
    return file.getvalue()


def encoded_as_held(upright: Image.Image, orientation: int, format: str, **save_options: Any) -> bytes:
    """Encode an image as a camera held that way does: with turned pixels, and the EXIF orientation that undoes it."""
    turn = _HOW_THE_CAMERA_LAY.get(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(upright if turn is None else upright.transpose(turn), format, exif=exif.tobytes(), **save_options)


def photo(colour: str, size: tuple[int, int] = (300, 400), format: str = "JPEG", **save_options: Any) -> bytes:
    """Draw a striped garment on white; `colour` is a name or #rrggbb, `save_options` are Pillow's."""
    width, height = size
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = width // 5, height // 8, width - width // 5, height - height // 8
    draw.rectangle((left, top, right, bottom), fill=colour)
    draw.rectangle((0, top, width, top + height // 6), fill=colour)  # sleeves
    for y in range(top + height // 4, bottom, max(height // 10, 2)):
        draw.line((left, y, right, y), fill="white", width=max(height // 60, 1))
    return encoded(image, format, **save_options)


def huge_png(width: int = 10_000, height: int = 6_000) -> bytes:
    """Make a small file whose header promises many pixels, 60 million by default, and whose data end after one row."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" + b"\xff" * 3 * width)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def padded_jpeg(size: int) -> bytes:
    """Make a valid JPEG of exactly `size` bytes, filled up with comments."""
    plain = photo("red")
    missing = size - len(plain)
    padding = []
    while missing:
        # A segment is two bytes of marker and at most 65,535 of length and content, so leave none or at least 4.
        length = min(missing, 65_537)
        if 0 < missing - length < 4:
            length -= 4
        padding.append(b"\xff\xfe" + struct.pack(">H", length - 2) + b"\0" * (length - 4))
        missing -= length
    return plain[:2] + b"".join(padding) + plain[2:]

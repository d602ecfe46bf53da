"""Repair damage that costs no pixel: files that every browser shows and Pillow refuses."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = slice(25, 26)
"""Place in a PNG file of the byte that says whether its pixels are grey (0), RGB (2) or rows of a palette (3)."""
_TRANSPARENT_BYTES = {b"\0": 2, b"\2": 6}
_MOST_PROFILE_BYTES = 1_000_000
"""Limit for an unpacked profile. Pillow refuses larger ones, and no real profile needs more."""

_END_OF_JPEG = b"\xff\xd9"
_MOST_MISSING = 0.01
"""Largest share of its pixels that a JPEG may lack."""


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int
    """Where the whole chunk lies in the file, with its length and checksum."""


def mended_png(photo: bytes) -> bytes:
    """Drop every ancillary chunk from a PNG file, except sound ones for transparency, orientation and colour profile.

    Pillow refuses a whole file for a wrong checksum in a comment. Browsers ignore the comment, as the specification
    asks: https://www.w3.org/TR/png-3/#13Decoders.Errors. Of two chunks of one kind the first counts. An animation
    becomes the still image that it contains.
    """
    kept = []
    seen: set[bytes] = set()
    position = 0
    for chunk in _chunks(photo):
        if not _is_ancillary(chunk):
            continue
        if chunk.kind in seen or not _is_sound(chunk, photo):
            kept.append(photo[position : chunk.start])
            position = chunk.end
        else:
            seen.add(chunk.kind)
    return b"".join([*kept, photo[position:]]) if kept else photo


def completed_jpeg(photo: bytes) -> bytes:
    """End a JPEG file that breaks off; libjpeg then draws the missing pixels in mid-grey (see `lacks_pixels`)."""
    return photo + _END_OF_JPEG


def lacks_pixels(image: Image.Image) -> bool:
    """Tell whether the image decoded from a `completed_jpeg` lacks too many pixels to be used.

    A progressive file that breaks off late lacks no pixels but sharpness, and mostly less of it than scaling costs.
    """
    pixels = np.asarray(image)
    grey = 127 if image.mode == "CMYK" else 128  # Pillow inverts what Adobe stores
    missing = (pixels == grey) if pixels.ndim == 2 else (pixels == grey).all(axis=2)
    return float(missing.mean()) > _MOST_MISSING


def _chunks(photo: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the first incomplete one."""
    start = len(_PNG_SIGNATURE)
    while start + 12 <= len(photo):
        length = int.from_bytes(photo[start : start + 4], "big")
        end = start + 12 + length
        if end > len(photo):
            return
        kind = photo[start + 4 : start + 8]
        yield _Chunk(kind, start, end)
        if kind == b"IEND":
            return
        start = end


def _is_ancillary(chunk: _Chunk) -> bool:
    """Tell whether the pixels can be drawn without the chunk: its kind begins with a small letter."""
    return bool(chunk.kind[0] & 0x20)


def _is_sound(chunk: _Chunk, photo: bytes) -> bool:
    """Tell whether Pillow needs this ancillary chunk and can read it."""
    if chunk.kind not in (b"tRNS", b"eXIf", b"iCCP"):
        return False
    content = photo[chunk.start + 8 : chunk.end - 4]
    if zlib.crc32(chunk.kind + content) != int.from_bytes(photo[chunk.end - 4 : chunk.end], "big"):
        return False
    if chunk.kind == b"tRNS":
        return len(content) >= _TRANSPARENT_BYTES.get(photo[_COLOUR_TYPE], 1)
    return chunk.kind == b"eXIf" or _unpacks(content)


def _unpacks(content: bytes) -> bool:
    """Tell whether an iCCP chunk holds a name, method 0 and a profile of a sensible size."""
    _, _, packed = content.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], _MOST_PROFILE_BYTES)
    except zlib.error:
        return False
    return packed[:1] == b"\0" and bool(profile) and unpacking.eof

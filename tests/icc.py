"""Small ICC profiles, made byte by byte (ICC.1:2010)."""

import struct
from collections.abc import Sequence
from itertools import product

from PIL import Image, ImageCms

_D50 = (0.9642, 1.0, 0.8249)

CYAN = (0, 151, 218)
"""What a printer's cyan looks like on a screen."""

_INKS = (CYAN, (213, 0, 122), (255, 236, 0), (0, 0, 0))


def rgb_profile(primaries: Sequence[Sequence[float]], gamma: float = 2.2) -> bytes:
    """A display's profile: `primaries` are the XYZ (D50) of its red, green and blue."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve, b"wtpt": _xyz(_D50)}
    tags |= dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, primaries), strict=True))
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def swapped_profile() -> bytes:
    """A display whose red shines green and whose green shines red: no colour but grey looks as its numbers say."""
    return rgb_profile([(0.3851, 0.7169, 0.0971), (0.4360, 0.2225, 0.0139), (0.1431, 0.0606, 0.7139)])


def grey_profile(gamma: float) -> bytes:
    """A grey scanner's or display's profile."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve, b"wtpt": _xyz(_D50)})


def cmyk_profile() -> bytes:
    """A printer's profile whose full cyan is `CYAN`."""
    corners = [_lab(_mixed(inks)) for inks in product((0, 1), repeat=4)]
    straight = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * (n % 4 == 0) for n in range(9)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + 4 * straight + b"".join(corners) + 3 * straight
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _xyz(_D50)})


def _mixed(inks: Sequence[int]) -> tuple[int, ...]:
    """The colour of full inks printed over each other."""
    colour = [255.0, 255.0, 255.0]
    for ink, printed in zip(_INKS, inks, strict=True):
        if printed:
            colour = [value * part / 255 for value, part in zip(colour, ink, strict=True)]
    return tuple(round(value) for value in colour)


def _lab(colour: tuple[int, ...]) -> bytes:
    """The Lab colour in the 8 bits of a lookup table: Pillow's own are signed."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    pixel = ImageCms.profileToProfile(Image.new("RGB", (1, 1), colour), srgb, lab, outputMode="LAB")
    assert pixel is not None
    lightness, a, b = pixel.tobytes()
    return bytes((lightness, (a + 128) % 256, (b + 128) % 256))


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", start + len(data), bytes(4), 0x02400000, kind, space, connection, bytes(12), b"acsp"
    )
    header += bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in _D50)) + bytes(48)
    return header[:128].ljust(128, b"\0") + table + data

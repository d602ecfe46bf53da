"""Colour as people see it: CIE Lab, the colour of the garment in a photo, and a palette of named colours."""

import numpy as np
from numpy.typing import NDArray

from embeddings.training.data.photos import Pixels

# sRGB (D65) to XYZ, IEC 61966-2-1; each row is divided by the white point, so that white is (1, 1, 1).
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_TO_XYZ /= _TO_XYZ.sum(axis=1, keepdims=True)

PALETTE: dict[str, str] = {
    "black": "141414",
    "charcoal": "3a3a3c",
    "grey": "808080",
    "light grey": "bdbdbd",
    "white": "f2f2f2",
    "cream": "ece0c3",
    "beige": "cdb694",
    "tan": "b08356",
    "brown": "74502f",
    "dark brown": "3b281d",
    "maroon": "5e1420",
    "red": "c4202b",
    "coral": "ef7d6c",
    "orange": "ee7a1b",
    "yellow": "efcf35",
    "olive": "6d6b35",
    "light green": "93c873",
    "green": "2f8b46",
    "dark green": "1e3f2b",
    "teal": "1f8588",
    "light blue": "a3c6e3",
    "blue": "2f6cc0",
    "slate blue": "5d708c",
    "navy": "1b2547",
    "purple": "5d3180",
    "lavender": "b4a0d0",
    "pink": "efb2c4",
    "magenta": "c8297c",
}
"""Named colours spread over the colours of clothes, in hexadecimal sRGB."""

# About the distance between neighbours in the palette: a colour between two counts as half of each.
_SPREAD = 12.0


def to_lab(rgb: NDArray[np.generic]) -> NDArray[np.float64]:
    """Convert sRGB (..., 3), 0-255, to CIE 1976 L*a*b* (..., 3): L 0-100, a and b about -100 to 100
    (CIE 15:2004, D65)."""
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def central_lab(pixels: Pixels) -> NDArray[np.float64]:
    """Return the median Lab (3,) of the central 30 % x 30 %: the garment's colour, since it lies in the middle."""
    height, width = pixels.shape[:2]
    top, left = round(height * 0.35), round(width * 0.35)
    centre = pixels[top : max(height - top, top + 1), left : max(width - left, left + 1)]
    median: NDArray[np.float64] = np.median(to_lab(centre).reshape(-1, 3), axis=0)
    return median


_ANCHORS = to_lab(np.array([list(bytes.fromhex(code)) for code in PALETTE.values()], np.uint8))


def palette_shares(lab: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the share of each palette colour in a colour: (len(PALETTE),), sum 1, by a Gaussian around each in Lab."""
    distance = ((_ANCHORS - lab) ** 2).sum(axis=1)
    kernel = np.exp((distance.min() - distance) / (2 * _SPREAD**2))
    shares: NDArray[np.float32] = (kernel / kernel.sum()).astype(np.float32)
    return shares

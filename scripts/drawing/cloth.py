"""The fabric of a drawn garment: a colour and a woven pattern."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[int, int, int]
Pattern = Literal["plain", "striped", "checked", "dotted"]

COLOURS: dict[str, Rgb] = {
    "red": (200, 40, 48),
    "orange": (236, 124, 44),
    "yellow": (244, 200, 62),
    "green": (62, 138, 76),
    "teal": (38, 146, 148),
    "sky": (122, 182, 224),
    "blue": (48, 94, 186),
    "navy": (36, 46, 92),
    "purple": (120, 72, 158),
    "pink": (240, 146, 176),
    "brown": (126, 84, 56),
    "beige": (216, 194, 160),
    "grey": (148, 150, 156),
    "black": (44, 44, 50),
}

WHITE: Rgb = (246, 244, 240)


@dataclass(frozen=True)
class Cloth:
    """A fabric: ground colour, pattern in a second colour, and the pattern's repeat in pixels."""

    ground: Rgb
    ink: Rgb = WHITE
    pattern: Pattern = "plain"
    repeat: float = 24.0

    def plain(self, brightness: float = 1.0) -> "Cloth":
        """Return the same colour without the pattern, darker below 1, for waistbands, linings and straps."""
        return replace(self, ground=_scaled(self.ground, brightness), pattern="plain")

    def swatch(self, width: int, height: int, origin: tuple[float, float], angle: float) -> NDArray[np.float32]:
        """Render a piece of the fabric, antialiased, with its pattern turned by `angle` degrees about `origin`.

        Returns:
            float32 array (height, width, 3), 0-255.
        """
        if self.pattern == "plain":
            return np.broadcast_to(np.asarray(self.ground, np.float32), (height, width, 3))
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        turn = np.float32(np.deg2rad(angle))
        u = (x - origin[0]) * np.cos(turn) + (y - origin[1]) * np.sin(turn)
        v = (y - origin[1]) * np.cos(turn) - (x - origin[0]) * np.sin(turn)
        amount = self._ink_amount(u, v)[..., None]
        ground, ink = np.asarray(self.ground, np.float32), np.asarray(self.ink, np.float32)
        return ground + (ink - ground) * amount

    def _ink_amount(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.pattern == "striped":
            return _bands(v, self.repeat, 0.4)
        if self.pattern == "checked":  # like gingham: two half-transparent sets of bands that cross to full ink
            return (_bands(u, self.repeat, 0.5) + _bands(v, self.repeat, 0.5)) * np.float32(0.5)
        if self.pattern == "dotted":
            # Every other row is shifted by half a repeat.
            row = np.floor(v / self.repeat)
            du = (u + row % 2 * self.repeat / 2) % self.repeat - self.repeat / 2
            dv = v - (row + 0.5) * self.repeat
            return _covered(self.repeat * 0.24 - np.hypot(du, dv))
        raise ValueError(f"unknown pattern {self.pattern!r}")


def _bands(distance: NDArray[np.float32], repeat: float, share: float) -> NDArray[np.float32]:
    """Return 1 inside bands that fill `share` of every repeat, and 0 between them."""
    from_middle = np.abs(distance % repeat - repeat / 2)
    return _covered(repeat * share / 2 - from_middle)


def _covered(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much of a pixel lies inside an edge `depth` pixels away: antialiasing without supersampling."""
    return (depth + 0.5).clip(0, 1).astype(np.float32)


def _scaled(colour: Rgb, brightness: float) -> Rgb:
    red, green, blue = (min(255, round(part * brightness)) for part in colour)
    return red, green, blue

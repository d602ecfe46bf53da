"""A canvas with the white background of a shop's photo, onto which pieces of cloth are laid."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from scripts.drawing.cloth import Cloth, Rgb

Point = tuple[float, float]
Outline = list[Point]

WIDTH, HEIGHT = 300, 400
_MIDDLE = WIDTH / 2
_FINE = 3  # antialiasing: masks are drawn this many times larger and averaged


def path(*steps: Sequence[float]) -> Outline:
    """Flatten a path: (x, y) is a corner, (cx, cy, x, y) a quadratic curve, (ax, ay, bx, by, x, y) a cubic one."""
    points: Outline = []
    for step in steps:
        end = (step[-2], step[-1])
        if len(step) == 2:
            points.append(end)
            continue
        control = [points[-1], *zip(step[:-2:2], step[1:-2:2], strict=True), end]
        points.extend(_bezier(control, t / 12) for t in range(1, 13))
    return points


def mirrored(outline: Outline) -> Outline:
    """Return the same piece for the other side of the garment."""
    return [(WIDTH - x, y) for x, y in outline]


def symmetric(right: Outline) -> Outline:
    """Complete an outline from its right half, which runs from the top middle to the bottom middle."""
    return right + mirrored(right)[::-1]


class Canvas:
    """A picture of 300 x 400 pixels that grows piece by piece."""

    def __init__(self) -> None:
        """Start with the nearly white background of a shop's photo."""
        self._pixels = np.full((HEIGHT, WIDTH, 3), 248, np.float32)

    def piece(
        self, outline: Outline, cloth: Cloth, *, angle: float = 0.0, light: float = 1.0, edge: float = 0.3
    ) -> None:
        """Lay a piece of cloth on the canvas, shaded towards its edge so that it looks rounded.

        Args:
            outline: the piece's closed border.
            cloth: the fabric.
            angle: the pattern's rotation in degrees.
            light: brightness; below 1 for a piece in shade.
            edge: the share of light lost at the border, 0-1.
        """
        left, top, right, bottom = _bounds(outline, margin=2)
        mask = _mask(outline, (left, top, right, bottom))
        width, height = right - left, bottom - top
        colour = cloth.swatch(width, height, (_MIDDLE - left, HEIGHT / 2 - top), angle)
        blurred = mask.filter(ImageFilter.BoxBlur(7)).filter(ImageFilter.BoxBlur(7))
        depth = (np.asarray(blurred, dtype=np.float32) / 255 * 2 - 1).clip(0, 1)
        # Light comes from the upper left, so the right side of every piece is a little darker.
        across = np.linspace(1.04, 0.92, width, dtype=np.float32)[None, :]
        shade = light * across * (1 - edge * (1 - depth))
        self._blend((colour * shade[..., None]).astype(np.float32), np.asarray(mask), left, top)

    def line(self, points: Outline, colour: Rgb, width: float = 1.5, opacity: float = 0.6) -> None:
        """Draw a seam, a strap or a lace."""
        left, top, right, bottom = _bounds(points, margin=round(width) + 2)
        fine = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
        shifted = [((x - left) * _FINE, (y - top) * _FINE) for x, y in points]
        ImageDraw.Draw(fine).line(shifted, fill=round(255 * opacity), width=round(width * _FINE), joint="curve")
        flat = np.broadcast_to(np.asarray(colour, np.float32), (bottom - top, right - left, 3))
        self._blend(flat, np.asarray(fine.reduce(_FINE)), left, top)

    def disc(self, centre: Point, radius: float, colour: Rgb) -> None:
        """Draw a button or a buckle."""
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        outline = [(centre[0] + radius * float(np.cos(a)), centre[1] + radius * float(np.sin(a))) for a in angles]
        self.piece(outline, Cloth(colour), edge=0.15)

    def shadow(self, y: float, half_width: float) -> None:
        """Draw the soft shadow of something that stands on the floor."""
        top = round(y) - 25
        flat = Image.new("L", (WIDTH, 50))
        ImageDraw.Draw(flat).ellipse((_MIDDLE - half_width, 18, _MIDDLE + half_width, 32), fill=90)
        grey = np.full((50, WIDTH, 3), 90, np.float32)
        self._blend(grey, np.asarray(flat.filter(ImageFilter.BoxBlur(6))), 0, top)

    def image(self) -> Image.Image:
        """Return the picture in RGB."""
        return Image.fromarray(self._pixels.round().clip(0, 255).astype(np.uint8))

    def _blend(self, colour: NDArray[np.float32], mask: NDArray[np.uint8], left: int, top: int) -> None:
        height, width = mask.shape
        under = self._pixels[top : top + height, left : left + width]
        amount = mask.astype(np.float32)[..., None] / 255
        under += (colour - under) * amount


def _bezier(control: list[Point], t: float) -> Point:
    """Evaluate a curve of any degree at `t` by de Casteljau's construction."""
    while len(control) > 1:
        control = [(ax + (bx - ax) * t, ay + (by - ay) * t) for (ax, ay), (bx, by) in pairwise(control)]
    return control[0]


def _bounds(points: Outline, margin: int) -> tuple[int, int, int, int]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (
        max(0, int(min(xs)) - margin),
        max(0, int(min(ys)) - margin),
        min(WIDTH, int(max(xs)) + margin + 1),
        min(HEIGHT, int(max(ys)) + margin + 1),
    )


def _mask(outline: Outline, bounds: tuple[int, int, int, int]) -> Image.Image:
    left, top, right, bottom = bounds
    fine = Image.new("L", ((right - left) * _FINE, (bottom - top) * _FINE))
    ImageDraw.Draw(fine).polygon([((x - left) * _FINE, (y - top) * _FINE) for x, y in outline], fill=255)
    return fine.reduce(_FINE)

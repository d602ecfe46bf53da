"""Places photos and garments in a square view: corners, rotation, perspective."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.training.data.photos import Pixels

_FRAMES = (3 / 4, 3 / 4, 1.0, 4 / 3, 9 / 16)  # width to height of phone photos, all squeezed to a square

Points = NDArray[np.float64]
"""(4, 2): x and y of the corners top left, top right, bottom right, bottom left."""

UNIT: Points = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
"""The corners of a whole photo, in shares of its sides."""


def window(photo: Pixels, corners: Points, fill: tuple[int, int, int], side: int) -> Image.Image:
    """Return the part of a photo between four corners, in shares of its sides, as a square view of `side` px."""
    image = Image.fromarray(photo)
    coefficients = _homography(UNIT * side, corners * image.size)
    return image.transform(
        (side, side), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR, fillcolor=fill
    )


def placed(
    pixels: tuple[int, int],
    rng: np.random.Generator,
    turn: float,
    size: tuple[float, float],
    shift: float,
    bend: float,
    side: int,
) -> Points:
    """Draw a random place for a garment in the square view; return its corners in px.

    Args:
        pixels: width and height of the garment.
        rng: the source of chance.
        turn: rotation in degrees.
        size: the least and greatest share of the frame for its longer side; above 1 is a tight crop.
        shift: the standard deviation of its distance from the middle, in shares of the frame.
        bend: the standard deviation by which perspective moves a corner, in shares of the garment.
        side: the side of the view in px.
    """
    aspect = _FRAMES[rng.integers(len(_FRAMES))]
    frame = np.array([aspect, 1.0])
    extent = np.array(pixels) / np.max(np.array(pixels) / frame) * rng.uniform(*size)
    corners = rotated((UNIT - 0.5) * extent, turn)
    corners = corners + rng.normal(0, bend, (4, 2)) * extent + (0.5 + rng.normal(0, shift, 2)) * frame
    corners_in_view: Points = corners / frame * side
    return corners_in_view


def paste(scene: Image.Image, garment: Image.Image, corners: Points) -> None:
    """Lay a garment (RGBA) over a scene, with its corners at these points in px."""
    coefficients = _homography(corners, UNIT * garment.size)
    moved = garment.transform(scene.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    scene.paste(moved, mask=moved.getchannel("A"))


def rotated(points: Points, degrees: float) -> Points:
    """Turn points about their middle."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = points.mean(axis=0)
    turned: Points = (points - centre) @ matrix.T + centre
    return turned


def _homography(seen: Points, source: Points) -> list[float]:
    """Return the eight coefficients for Pillow's PERSPECTIVE, which map each seen point to its place in the source.

    u = (a x + b y + c) / (g x + h y + 1), v = (d x + e y + f) / (g x + h y + 1), solved for four pairs of points.
    """
    rows = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    coefficients: list[float] = np.linalg.lstsq(np.array(rows), source.ravel(), rcond=None)[0].tolist()
    return coefficients


def flipped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Mirror an image half the time."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image

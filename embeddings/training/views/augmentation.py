"""Turns one photo into the many that a phone might have taken.

No change of colour makes the label wrong: `camera` changes a garment no more than a lamp and an automatic white balance
do. Backgrounds have no such limit (`backgrounds`).
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import FULL, Augmentation
from embeddings.training.data.photos import Pixels
from embeddings.training.views.backgrounds import Backgrounds

_SIZE = (INPUT_SIZE, INPUT_SIZE)
_CLUTTER = 0.3
_FRAMES = (3 / 4, 3 / 4, 1.0, 4 / 3, 9 / 16)  # width to height of phone photos; all are squeezed to a square

Points = NDArray[np.float64]
"""(4, 2): x, y of the corners top left, top right, bottom right, bottom left."""

_UNIT: Points = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


def phone_view(
    garment: Image.Image,
    backgrounds: Backgrounds,
    others: Sequence[Image.Image],
    rng: np.random.Generator,
    strength: Augmentation = FULL,
) -> Pixels:
    """A cut-out garment (RGBA) somewhere else, seen through a phone: (160, 160, 3).

    Now and then one or two of the `others` (RGBA) lie behind it, smaller and to the side: the main garment is the
    largest and most central one.
    """
    scene = Image.blend(Image.new("RGB", _SIZE, (255, 255, 255)), backgrounds.draw(rng), strength.ground)
    if others and rng.random() < _CLUTTER * strength.clutter:
        for _ in range(rng.integers(1, 3)):
            _lay_aside(scene, others[int(rng.integers(len(others)))], rng)
    turn = rng.normal(0, 15) if rng.random() < 0.85 else rng.uniform(-180, 180)
    size = (1 - 0.4 * strength.crop, 1 + 0.4 * strength.crop)
    corners = _placed(
        garment.size, rng, turn * strength.turn, size, shift=0.1 * strength.crop, bend=0.1 * strength.bend
    )
    _paste(scene, garment, corners)
    if rng.random() < 0.3 * strength.occlusion:
        _occlude(scene, backgrounds, rng)
    return camera(_flipped(scene, rng), rng, strength)


def shop_view(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """A shop photo (h, w, 3) framed a little otherwise; what it does not show is white: (160, 160, 3)."""
    side = rng.uniform(0.85, 1.1)
    corners = _rotated(_UNIT * side + (0.5 - side / 2) + rng.normal(0, 0.02, 2), rng.normal(0, 2))
    return np.asarray(_flipped(_window(photo, corners, (255, 255, 255)), rng))


def studio_view(garment: Image.Image, rng: np.random.Generator) -> Pixels:
    """A garment cut from a phone photo as a shop would show it, upright on white: (160, 160, 3)."""
    scene = Image.new("RGB", _SIZE, (255, 255, 255))
    _paste(scene, garment, _placed(garment.size, rng, rng.normal(0, 3), size=(0.75, 1.0), shift=0.02, bend=0.02))
    return np.asarray(_flipped(scene, rng))


def consumer_view(photo: Pixels, rng: np.random.Generator, strength: Augmentation = FULL) -> Pixels:
    """A phone photo (h, w, 3) taken from a little elsewhere: (160, 160, 3)."""
    side = rng.uniform(1 - 0.3 * strength.crop, 1.0)
    left, top = rng.uniform(0, 1 - side, 2)
    turned = _rotated(_UNIT * side + (left, top), rng.normal(0, 8 * strength.turn))
    corners = turned + rng.normal(0, 0.03 * strength.bend, (4, 2))
    red, green, blue = photo[0].mean(axis=0).astype(int).tolist()
    return camera(_flipped(_window(photo, corners, (red, green, blue)), rng), rng, strength)


def camera(image: Image.Image, rng: np.random.Generator, strength: Augmentation = FULL) -> Pixels:
    """Light, white balance, blur, noise and jpeg of a phone, each by chance, on an image of 160 x 160 px."""
    chance = rng.random(4)
    if chance[0] < 0.3 * strength.blur:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
    elif chance[0] < 0.45 * strength.blur:
        side = int(rng.integers(70, 130))
        image = image.resize((side, side), Image.Resampling.BOX).resize(_SIZE, Image.Resampling.BILINEAR)
    balance = (rng.normal(1, 0.06, 3) * rng.uniform(0.7, 1.15)) ** strength.light
    slope = rng.normal(0, 0.15 * strength.light, 2)  # the lamp stands somewhere
    place = np.linspace(-1, 1, INPUT_SIZE, dtype=np.float32)
    light = (1 + slope[0] * place[:, None] + slope[1] * place[None, :]).astype(np.float32)
    pixels = np.asarray(image) * light[..., None] * balance.astype(np.float32)
    if chance[1] < 0.5 * strength.light:  # contrast
        pixels = 128 + (pixels - 128) * np.float32(rng.uniform(0.75, 1.2))
    if chance[2] < 0.4 * strength.noise:
        pixels += rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.uniform(2, 14))
    out = pixels.clip(0, 255).astype(np.uint8)
    return _jpeg(out, int(rng.integers(30, 90))) if chance[3] < 0.4 * strength.jpeg else out


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def _window(photo: Pixels, corners: Points, fill: tuple[int, int, int]) -> Image.Image:
    """What lies between four corners, given in shares of the photo, as a square view."""
    image = Image.fromarray(photo)
    coefficients = _homography(_UNIT * INPUT_SIZE, corners * image.size)
    return image.transform(_SIZE, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR, fillcolor=fill)


def _placed(
    pixels: tuple[int, int],
    rng: np.random.Generator,
    turn: float,
    size: tuple[float, float],
    shift: float,
    bend: float = 0.1,
) -> Points:
    """Where the corners of a garment come to lie in the square view, in px.

    Args:
        pixels: width and height of the garment.
        rng: what chance decides.
        turn: degrees.
        size: its longer side takes a share of the frame between these; above 1 is a tight crop.
        shift: how far it lies from the middle, a standard deviation in shares of the frame.
        bend: how far perspective moves a corner, a standard deviation in shares of the garment.
    """
    aspect = _FRAMES[rng.integers(len(_FRAMES))]
    frame = np.array([aspect, 1.0])
    extent = np.array(pixels) / np.max(np.array(pixels) / frame) * rng.uniform(*size)
    corners = _rotated((_UNIT - 0.5) * extent, turn)
    corners = corners + rng.normal(0, bend, (4, 2)) * extent + (0.5 + rng.normal(0, shift, 2)) * frame
    placed: Points = corners / frame * INPUT_SIZE
    return placed


def _paste(scene: Image.Image, garment: Image.Image, corners: Points) -> None:
    coefficients = _homography(corners, _UNIT * garment.size)
    moved = garment.transform(_SIZE, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    scene.paste(moved, mask=moved.getchannel("A"))


def _lay_aside(scene: Image.Image, garment: Image.Image, rng: np.random.Generator) -> None:
    corners = _placed(garment.size, rng, rng.uniform(-180, 180), size=(0.3, 0.7), shift=0.0)
    direction = rng.uniform(0, 2 * np.pi)
    away = np.array([np.cos(direction), np.sin(direction)]) * rng.uniform(0.3, 0.6) * INPUT_SIZE
    _paste(scene, garment, corners + away)


def _occlude(scene: Image.Image, backgrounds: Backgrounds, rng: np.random.Generator) -> None:
    """Cover a part with something else: a hand, a hanger, another sleeve."""
    width, height = (int(value) for value in rng.integers(16, 64, 2))
    left, top = int(rng.integers(0, INPUT_SIZE - width)), int(rng.integers(0, INPUT_SIZE - height))
    scene.paste(backgrounds.draw(rng).resize((width, height)), (left, top))


def _flipped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def _rotated(points: Points, degrees: float) -> Points:
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = points.mean(axis=0)
    rotated: Points = (points - centre) @ matrix.T + centre
    return rotated


def _homography(seen: Points, source: Points) -> list[float]:
    """The eight coefficients that Pillow's PERSPECTIVE wants: from each point seen to its place in the source.

    u = (a x + b y + c) / (g x + h y + 1), v = (d x + e y + f) / (g x + h y + 1), solved for four pairs of points.
    """
    rows = []
    for (x, y), (u, v) in zip(seen, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    coefficients: list[float] = np.linalg.lstsq(np.array(rows), source.ravel(), rcond=None)[0].tolist()
    return coefficients

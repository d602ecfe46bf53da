"""Turns one photo into the many that a phone might have taken.

No change of colour makes the label wrong: `camera` changes a garment no more than a lamp and an automatic white balance
do. Backgrounds have no such limit (`backgrounds`).
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import FULL, Augmentation
from embeddings.training.data.photos import Pixels
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.geometry import UNIT, flipped, paste, placed, rotated, window

_CLUTTER = 0.3


def phone_view(
    garment: Image.Image,
    backgrounds: Backgrounds,
    others: Sequence[Image.Image],
    rng: np.random.Generator,
    strength: Augmentation = FULL,
    side: int = INPUT_SIZE,
) -> Pixels:
    """Show a cut-out garment (RGBA) somewhere else, as a phone sees it: (side, side, 3).

    Sometimes one or two of the `others` (RGBA) lie behind it, smaller and to the side. The main garment is always the
    largest and the most central.
    """
    scene = Image.blend(Image.new("RGB", (side, side), (255, 255, 255)), backgrounds.draw(rng, side), strength.ground)
    if others and rng.random() < _CLUTTER * strength.clutter:
        for _ in range(rng.integers(1, 3)):
            _lay_aside(scene, others[int(rng.integers(len(others)))], rng)
    turn = rng.normal(0, 15) if rng.random() < 0.85 else rng.uniform(-180, 180)
    size = (1 - 0.4 * strength.crop, 1 + 0.4 * strength.crop)
    corners = placed(garment.size, rng, turn * strength.turn, size, 0.1 * strength.crop, 0.1 * strength.bend, side)
    paste(scene, garment, corners)
    if rng.random() < 0.3 * strength.occlusion:
        _occlude(scene, backgrounds, rng)
    return camera(flipped(scene, rng), rng, strength)


def shop_view(photo: Pixels, rng: np.random.Generator, side: int = INPUT_SIZE) -> Pixels:
    """Frame a shop photo (h, w, 3) a little differently, with white around it: (side, side, 3)."""
    share = rng.uniform(0.85, 1.1)
    corners = rotated(UNIT * share + (0.5 - share / 2) + rng.normal(0, 0.02, 2), rng.normal(0, 2))
    return np.asarray(flipped(window(photo, corners, (255, 255, 255), side), rng))


def studio_view(garment: Image.Image, rng: np.random.Generator, side: int = INPUT_SIZE) -> Pixels:
    """Show a garment (RGBA) cut from a phone photo as a shop would, upright on white: (side, side, 3)."""
    scene = Image.new("RGB", (side, side), (255, 255, 255))
    paste(scene, garment, placed(garment.size, rng, rng.normal(0, 3), (0.75, 1.0), shift=0.02, bend=0.02, side=side))
    return np.asarray(flipped(scene, rng))


def consumer_view(
    photo: Pixels, rng: np.random.Generator, strength: Augmentation = FULL, side: int = INPUT_SIZE
) -> Pixels:
    """Show a phone photo (h, w, 3) as if taken from a slightly different place: (side, side, 3)."""
    share = rng.uniform(1 - 0.3 * strength.crop, 1.0)
    left, top = rng.uniform(0, 1 - share, 2)
    turned = rotated(UNIT * share + (left, top), rng.normal(0, 8 * strength.turn))
    corners = turned + rng.normal(0, 0.03 * strength.bend, (4, 2))
    red, green, blue = photo[0].mean(axis=0).astype(int).tolist()
    return camera(flipped(window(photo, corners, (red, green, blue), side), rng), rng, strength)


def camera(image: Image.Image, rng: np.random.Generator, strength: Augmentation = FULL) -> Pixels:
    """Give a square image the light, white balance, blur, noise and JPEG of a phone, each by chance.

    Blur is measured in px of a view of 160 px; a smaller view is blurred less, to show the same photo.
    """
    scale = image.width / INPUT_SIZE
    chance = rng.random(4)
    if chance[0] < 0.3 * strength.blur:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6) * scale))
    elif chance[0] < 0.45 * strength.blur:
        few = round(int(rng.integers(70, 130)) * scale)
        image = image.resize((few, few), Image.Resampling.BOX).resize(image.size, Image.Resampling.BILINEAR)
    balance = (rng.normal(1, 0.06, 3) * rng.uniform(0.7, 1.15)) ** strength.light
    slope = rng.normal(0, 0.15 * strength.light, 2)  # the lamp stands somewhere
    place = np.linspace(-1, 1, image.width, dtype=np.float32)
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


def _lay_aside(scene: Image.Image, garment: Image.Image, rng: np.random.Generator) -> None:
    corners = placed(garment.size, rng, rng.uniform(-180, 180), (0.3, 0.7), shift=0.0, bend=0.1, side=scene.width)
    direction = rng.uniform(0, 2 * np.pi)
    away = np.array([np.cos(direction), np.sin(direction)]) * rng.uniform(0.3, 0.6) * scene.width
    paste(scene, garment, corners + away)


def _occlude(scene: Image.Image, backgrounds: Backgrounds, rng: np.random.Generator) -> None:
    """Cover a part with something else: a hand, a hanger, another sleeve."""
    side = scene.width
    width, height = (int(value) * side // INPUT_SIZE for value in rng.integers(16, 64, 2))
    left, top = int(rng.integers(0, side - width)), int(rng.integers(0, side - height))
    scene.paste(backgrounds.draw(rng, side).resize((width, height)), (left, top))

"""Simulated phone photos to measure with: a shop item on a stranger's floor.

They share no code, parameter or background with `augmentation`, or a model would be measured with what it was trained
on. Scenes are warped in numpy at a larger size and become JPEG bytes, which reach the model as any upload does.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from embeddings.training.data.photos import Pixels

_HEIGHT, _WIDTH = 400, 300
_ZOOM = (0.72, 1.08)
_ZOOM_BESIDE = (0.5, 0.75)
_SKIN = ((224, 172, 105), (141, 85, 36), (255, 219, 172), (92, 60, 40))

Plane = NDArray[np.float32]


def phone_photo(item: Pixels, elsewhere: Pixels, seed: tuple[int, ...], beside: Sequence[Pixels] = ()) -> bytes:
    """Put a shop item on the ground of another photo, and photograph it badly.

    Args:
        item: a shop photo on white (h, w, 3).
        elsewhere: a photo of a real place (h, w, 3), by a sender whom training has not seen.
        seed: decides everything but the other items, which leave the rest of the photo as it was.
        beside: up to four other items. They lie in the corners, smaller, under the item and partly out of the photo.

    Returns:
        A JPEG of 300 x 400 px.
    """
    rng = np.random.default_rng(seed)
    middle = np.array([_WIDTH, _HEIGHT]) / 2
    layer = _warp(item, rng, _ZOOM, middle)
    fall = (int(rng.integers(2, 10)), int(rng.integers(-8, 9)))
    scene = _ground(elsewhere, rng)
    rng_beside = np.random.default_rng((*seed, 1))  # its own, so that the others do not change the item
    corners = rng_beside.permutation([(-1, -1), (1, -1), (-1, 1), (1, 1)])
    for other, corner in zip(beside, corners, strict=False):
        scene = _lay(_warp(other, rng_beside, _ZOOM_BESIDE, middle * (1 + 0.7 * corner)), scene, fall)
    scene = _lay(layer, scene, fall)
    image = Image.fromarray(_lit(scene, rng))
    if rng.random() < 0.35:
        _finger(image, rng)
    image = image.filter(ImageFilter.BoxBlur(float(rng.choice([0, 0, 1, 2]))))
    stream = BytesIO()
    _grain(image, rng).save(stream, "JPEG", quality=int(rng.integers(50, 93)))
    return stream.getvalue()


def _matte(item: Pixels) -> Plane:
    """Return the share of garment in each pixel (h, w): garment is what has something dark on all four sides."""
    dark = item.min(axis=2) < 240
    inside = np.ones_like(dark)
    for axis in (0, 1):
        inside &= np.maximum.accumulate(dark, axis=axis)
        inside &= np.flip(np.maximum.accumulate(np.flip(dark, axis), axis=axis), axis)
    return _soft(inside.astype(np.float32), 0.7)


def _ground(photo: Pixels, rng: np.random.Generator) -> Plane:
    """Fill the scene with the left or right band of a photo, mirrored: floors and beds without the garment."""
    band = Image.fromarray(photo).convert("RGB")
    if rng.random() < 0.5:
        band = band.transpose(Image.Transpose.ROTATE_180)
    band = band.crop((0, 0, max(8, band.width * 2 // 9), band.height)).resize((_WIDTH // 3, _HEIGHT))
    pixels = np.asarray(band, np.float32)
    return np.concatenate([pixels, pixels[:, ::-1], pixels], axis=1)


def _lay(layer: tuple[Plane, Plane], scene: Plane, fall: tuple[int, int]) -> Plane:
    """Lay a garment on the scene; its shadow falls `fall` rows and columns away."""
    colours, matte = layer
    shadow = np.roll(_soft(matte, 6), fall, (0, 1))
    darker = scene * (1 - 0.45 * shadow[..., None])
    laid: Plane = darker * (1 - matte[..., None]) + colours * matte[..., None]
    return laid


def _warp(
    item: Pixels, rng: np.random.Generator, zooms: tuple[float, float], middle: NDArray[np.float64]
) -> tuple[Plane, Plane]:
    """Return colours and matte as the camera sees them: scaled, turned, and not from straight above."""
    matte = _matte(item)
    height, width = matte.shape
    zoom = rng.uniform(*zooms) * min(_WIDTH / width, _HEIGHT / height)
    angle = rng.uniform(-0.45, 0.45)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, 1, 0], [*rng.uniform(-8e-4, 8e-4, 2), 1]])
    place = middle + rng.uniform(-25, 25, 2)
    back = np.linalg.inv(np.array([[1, 0, place[0]], [0, 1, place[1]], [0, 0, 1]]) @ lean @ turn @ centre)
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    u, v, w = np.einsum("ij,jhw->ihw", back, np.stack([x, y, np.ones_like(x)]).astype(np.float64))
    u, v = u / w, v / w
    left = np.clip(np.floor(u).astype(int), 0, width - 2)
    top = np.clip(np.floor(v).astype(int), 0, height - 2)
    right_share = np.clip(u - left, 0, 1)[..., None]
    low_share = np.clip(v - top, 0, 1)[..., None]
    layers = np.concatenate([item.astype(np.float32), matte[..., None]], axis=2)
    upper = layers[top, left] * (1 - right_share) + layers[top, left + 1] * right_share
    lower = layers[top + 1, left] * (1 - right_share) + layers[top + 1, left + 1] * right_share
    seen = upper * (1 - low_share) + lower * low_share
    seen[(u < 0) | (v < 0) | (u > width - 1) | (v > height - 1), 3] = 0
    return seen[..., :3].astype(np.float32), seen[..., 3].astype(np.float32)


def _lit(scene: Plane, rng: np.random.Generator) -> Pixels:
    """Expose the scene under a lamp between blue and amber, with a vignette."""
    warmth = rng.normal(0, 0.07)
    gain = 2 ** rng.normal(-0.15, 0.25) * np.array([1 + warmth, 1, 1 - warmth])
    y, x = np.mgrid[-1 : 1 : _HEIGHT * 1j, -1 : 1 : _WIDTH * 1j]
    vignette = 1 - rng.uniform(0, 0.25) * (x**2 + y**2)
    lit: Pixels = np.clip(scene * gain * vignette[..., None], 0, 255).astype(np.uint8)
    return lit


def _finger(image: Image.Image, rng: np.random.Generator) -> None:
    """Draw a finger over an edge."""
    colour = _SKIN[rng.integers(len(_SKIN))]
    x = float(rng.choice([0, _WIDTH]))
    y = rng.uniform(0.2, 0.9) * _HEIGHT
    length, width = rng.uniform(40, 110), rng.uniform(16, 34)
    ImageDraw.Draw(image).ellipse((x - length, y - width, x + length, y + width), fill=colour)


def _grain(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add photon noise, which grows with the root of the light."""
    pixels = np.asarray(image, np.float32)
    noise = rng.normal(0, 1, pixels.shape) * np.sqrt(pixels + 1) * rng.uniform(0.1, 0.9)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _soft(plane: Plane, radius: float) -> Plane:
    image = Image.fromarray((plane * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, np.float32) / np.float32(255)


def drawn_ground(seed: tuple[int, ...]) -> Pixels:
    """Draw planks, tiles or a cloth (400, 300, 3), for data sets without a photo of a real place."""
    rng = np.random.default_rng(seed)
    light = (_planks, _tiles, _cloth)[rng.integers(3)](rng) + rng.normal(0, 0.02, (_HEIGHT, _WIDTH))
    colour = rng.uniform(60, 220) * (1 + rng.uniform(-0.25, 0.25, 3))
    return np.clip(light[..., None] * colour, 0, 255).astype(np.uint8)


def _planks(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw boards across the photo, each a little lighter or darker, with dark joints."""
    board, within = np.divmod(np.arange(_HEIGHT), rng.integers(25, 70))
    tone = rng.normal(1, 0.08, board.max() + 1)[board] * np.where(within < 2, 0.6, 1)
    return np.repeat(tone[:, None], _WIDTH, axis=1)


def _tiles(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw squares with pale joints."""
    side = rng.integers(40, 110)
    y, x = np.ogrid[:_HEIGHT, :_WIDTH]
    return np.where((y % side < 3) | (x % side < 3), 1.25, 1.0)


def _cloth(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw soft folds: a few waves in different directions."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    waves = [np.sin((x * np.cos(turn) + y * np.sin(turn)) / rng.uniform(15, 60)) for turn in rng.uniform(0, np.pi, 4)]
    folds: NDArray[np.float64] = 1 + 0.06 * np.sum(waves, axis=0)
    return folds

"""Views of garments as people wear them: crops of dressed people, things in front of people, photos of few pixels."""

from io import BytesIO

import numpy as np
from PIL import Image

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.config import FULL, Augmentation
from embeddings.training.data.photos import Pixels
from embeddings.training.views.augmentation import camera
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.geometry import UNIT, flipped, paste, placed, rotated, window

_FEW_PIXELS = 0.4
_ELSEWHERE = 0.6
_WHITE = 246  # a shop's white background after JPEG
_SMALL = (60, 80)


def cropped_view(
    photo: Pixels, rng: np.random.Generator, strength: Augmentation = FULL, side: int = INPUT_SIZE
) -> Pixels:
    """Crop a shop photo (h, w, 3) around the garment, too tightly or too loosely: (side, side, 3).

    Some crops have only 40 to 120 px, as small garments in a street photo have, and are enlarged.
    """
    height = rng.uniform(1 - 0.55 * strength.crop, 1.05)
    share = height * np.array([rng.uniform(0.75, 1.2), 1.0])
    middle = 0.5 + rng.normal(0, 0.07 * strength.crop, 2)
    corners = rotated(UNIT * share + (middle - share / 2), rng.normal(0, 5 * strength.turn))
    red, green, blue = rng.integers(60, 256, 3).tolist()
    scene = flipped(window(photo, corners, (red, green, blue), side), rng)
    if rng.random() < _FEW_PIXELS * strength.blur:
        few = int(rng.integers(40, 120)) * side // INPUT_SIZE
        scene = scene.resize((few, few), Image.Resampling.BOX).resize(scene.size, Image.Resampling.BILINEAR)
    return camera(scene, rng, strength)


def worn_view(
    garment: Image.Image,
    person: Pixels,
    backgrounds: Backgrounds,
    rng: np.random.Generator,
    strength: Augmentation = FULL,
    side: int = INPUT_SIZE,
) -> Pixels:
    """Lay a cut-out (RGBA) over a photo of a dressed person (h, w, 3): (side, side, 3).

    The label is that of the bag, hat, scarf, shoe or garment in front, not of the person's own clothes.
    """
    share = rng.uniform(0.5, 1)
    scene = window(person, UNIT * share + rng.uniform(0, 1 - share, 2), (255, 255, 255), side)
    if rng.random() < _ELSEWHERE * strength.ground:
        studio = Image.fromarray((np.asarray(scene).min(axis=2) > _WHITE).astype(np.uint8) * 255)
        scene.paste(backgrounds.draw(rng, side), mask=studio)
    turn = rng.normal(0, 10 * strength.turn)
    paste(scene, garment, placed(garment.size, rng, turn, (0.6, 1.05), 0.08, 0.04 * strength.bend, side))
    return camera(flipped(scene, rng), rng, strength)


def as_small(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """Shrink a shop photo to a catalogue's small size, a JPEG of 60 x 80 px: (80, 60, 3).

    If some kinds have small photos, a share of the others must be as small, or blur becomes a cue.
    """
    stream = BytesIO()
    small = Image.fromarray(photo).resize(_SMALL, Image.Resampling.BOX)
    small.save(stream, "JPEG", quality=int(rng.integers(60, 92)))
    return np.asarray(Image.open(stream))

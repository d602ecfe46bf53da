"""The photos of a folder, whatever layout it has: reading them, choosing from them, decoding them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from embeddings.training.data import class_folders, deepfashion, labels_csv
from embeddings.training.data.categories import Domain
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Part, Pixels, Split

# Views of 160 px are drawn from photos of this shorter side: room to crop, and 10,000 of them fit in 2 GB.
_SHORTER_SIDE = 192


def read_photos(folder: Path, split: Split) -> list[LabelledPhoto]:
    """Read a data set by the layout of its folder; no photo is opened.

    In this order: labels.csv (`labelled`), DeepFashion (`deepfashion`), a folder per class or an unlabelled gallery
    (`folders`).

    Args:
        folder: holds the data set.
        split: what decides each photo's part where the data set does not.

    Raises:
        DatasetError: none of these, or something in it is wrong; the message names file and line.
    """
    if (folder / labels_csv.TABLE).exists():
        return labels_csv.read(folder, split)
    if (folder / deepfashion.PARTITION).exists():
        return deepfashion.read(folder, split)
    photos = class_folders.read(folder, split)
    if not photos:
        raise DatasetError(
            f"{folder} holds no photos to read: neither {labels_csv.TABLE}, nor DeepFashion's {deepfashion.PARTITION}, "
            f"nor files that end in {', '.join(class_folders.SUFFIXES)}; --data names the folder they are in"
        )
    return photos


def select(photos: Sequence[LabelledPhoto], domain: Domain, *parts: Part) -> list[LabelledPhoto]:
    """The photos of one domain that are in one of the parts, in their order."""
    return [photo for photo in photos if photo.domain == domain and photo.part in parts]


def load_pixels(folder: Path, photos: Sequence[LabelledPhoto]) -> list[Pixels]:
    """Decode photos for training, upright, scaled so that the shorter side is at most 192 px.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda photo: _decode(folder / photo.file), photos))


def _decode(path: Path) -> Pixels:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"cannot decode {path} ({error})") from error
    scale = _SHORTER_SIDE / min(upright.size)
    if scale < 1:
        size = (round(upright.width * scale), round(upright.height * scale))
        upright = upright.resize(size, Image.Resampling.BOX)
    return np.asarray(upright)

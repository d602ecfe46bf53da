"""The photos of a folder in any known layout: list them, select from them, decode them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from embeddings.training.data import class_folders, deepfashion, labels_csv
from embeddings.training.data.categories import Domain
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Part, Pixels, Split

# The shorter side of a decoded photo. Views of 160 px can be cropped from it, and 10,000 photos fit in 2 GB.
_SHORTER_SIDE = 192


def read_photos(folder: Path, split: Split) -> list[LabelledPhoto]:
    """List the photos of a data set without opening them.

    The folder's layout is the first of these that fits: a table (`labels_csv`), DeepFashion (`deepfashion`), a folder
    per class or an unlabelled gallery (`class_folders`).

    Args:
        folder: the data set's folder.
        split: decides each photo's part, unless the data set does.

    Raises:
        DatasetError: the folder has none of these layouts, or a table is wrong; the message names file and line.
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
    """Return the photos of one domain that are in one of the parts, in their order."""
    return [photo for photo in photos if photo.domain == domain and photo.part in parts]


def load_pixels(folder: Path, photos: Sequence[LabelledPhoto]) -> list[Pixels]:
    """Decode photos upright, scaled so that the shorter side is at most 192 px.

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

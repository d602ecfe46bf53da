"""The labelled photos: reading them, and splitting them so that no figure flatters.

Consumer photos are split by sender, because photos of one sender share a room, a camera and a style; shop photos by
item, of which each has one photo. The part follows from a hash of seed and unit alone: adding photos moves no other.
"""

import csv
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from embeddings.errors import GarmentSearchError
from embeddings.training.labels import DOMAINS, Domain, joint_category

Part = Literal["train", "validation", "test"]

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB, 0-255."""

_COLUMNS = ("file", "domain", "category", "gender", "colour", "sender")

# Views of 160 px are drawn from photos of this shorter side: room to crop, and 10,000 of them fit in 2 GB.
_SHORTER_SIDE = 192


class DatasetError(GarmentSearchError):
    """The folder does not hold a data set this code can read."""


@dataclass(frozen=True)
class Split:
    """Fractions of senders and items that stay unseen. Seed 2 leaves no sender above a quarter of the test photos."""

    seed: int = 2
    validation: float = 0.1
    test: float = 0.2

    def part(self, unit: str) -> Part:
        """The part a sender or an item belongs to."""
        digest = hashlib.sha256(f"{self.seed}/{unit}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        if place < 1 - self.validation - self.test:
            return "train"
        return "validation" if place < 1 - self.test else "test"

    def as_dict(self) -> dict[str, float]:
        """For run folders and model cards."""
        return asdict(self)


@dataclass(frozen=True)
class Photo:
    """One row of labels.csv; labels a source does not give are empty."""

    file: str
    domain: Domain
    category: str  # joint
    kind: str  # the source's own word
    gender: str
    colour: str
    sender: str
    item: str  # photos of one item share it
    part: Part


def read_photos(folder: Path, split: Split) -> list[Photo]:
    """Read `labels.csv` (file, domain, category, gender, colour, sender) in the order of its rows.

    Raises:
        DatasetError: no such file, missing columns, an unknown word, or a photo without its unit.
    """
    path = folder / "labels.csv"
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            missing = set(_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            return [_photo(row, split, f"{path}:{number}") for number, row in enumerate(reader, start=2)]
    except OSError as error:
        raise DatasetError(f"cannot read {path} ({error.strerror}); --data names the folder it is in") from error


def _photo(row: dict[str, str], split: Split, place: str) -> Photo:
    domain = next((known for known in DOMAINS if known == row["domain"]), None)
    if domain is None:
        raise DatasetError(f"{place}: domain {row['domain']!r} is neither of {', '.join(DOMAINS)}")
    unit = row["sender"] if domain == "consumer" else row["file"]
    if not unit:
        raise DatasetError(f"{place}: a consumer photo without a sender cannot be split")
    try:
        category = joint_category(domain, row["category"])
    except KeyError as error:
        raise DatasetError(f"{place}: {error.args[0]}") from error
    return Photo(
        file=row["file"],
        domain=domain,
        category=category,
        kind=row["category"],
        gender=row["gender"],
        colour=row["colour"],
        sender=row["sender"],
        item=row["file"],
        part=split.part(f"{domain}/{unit}"),
    )


def select(photos: Sequence[Photo], domain: Domain, *parts: Part) -> list[Photo]:
    """The photos of one domain that are in one of the parts, in their order."""
    return [photo for photo in photos if photo.domain == domain and photo.part in parts]


def load_pixels(folder: Path, photos: Sequence[Photo]) -> list[Pixels]:
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

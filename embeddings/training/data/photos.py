"""A photo of a data set: its labels, and the part of the split it is in."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import GarmentSearchError
from embeddings.training.data.categories import Domain

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

Role = Literal["", "query", "gallery"]

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB, 0-255."""


class DatasetError(GarmentSearchError):
    """The folder does not hold a data set that this code can read."""


@dataclass(frozen=True)
class Split:
    """The shares of senders and items that training does not see.

    With seed 2 no sender has more than a quarter of the test photos.
    """

    seed: int = 2
    validation: float = 0.1
    test: float = 0.2

    def part(self, unit: str) -> Part:
        """Return the part of a sender or an item. It depends on a hash alone, so new photos move no other photo."""
        digest = hashlib.sha256(f"{self.seed}/{unit}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        if place < 1 - self.validation - self.test:
            return "train"
        return "validation" if place < 1 - self.test else "test"

    def as_dict(self) -> dict[str, float]:
        """Return the fields, for run folders and model cards."""
        return asdict(self)


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo and its labels; a label that the source does not give is empty."""

    file: str  # below the data set's folder
    domain: Domain
    category: str  # joint, shared by shop and consumer photos
    type: str  # the source's own word
    gender: str
    colour: str
    sender: str
    item: str  # shared by all photos of one garment
    part: Part
    role: Role = ""  # where a protocol says which photos are queries and which the gallery
    title: str = ""  # what the shop calls it
    usage: str = ""  # what the shop says it is for: Casual, Formal, ...
    small: bool = False  # 60 x 80 px, too few to measure with

    @property
    def kind(self) -> str:
        """Type and gender in words, as far as they are known."""
        return ", ".join(filter(None, (self.type, self.gender)))

    @property
    def training_only(self) -> bool:
        """Whether the photo may train a model but not measure one: it is small, or a consumer did not label it."""
        return self.small or (self.domain == "consumer" and not self.category)

    @property
    def unit(self) -> str:
        """The sender, or else the item: photos of one unit are alike, and no independent sample."""
        return self.sender or self.item

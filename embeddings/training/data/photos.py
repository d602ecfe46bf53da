"""A photo of a data set: what is known of it, and whether training, validation or test may see it."""

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
    """The folder does not hold a data set this code can read."""


@dataclass(frozen=True)
class Split:
    """Fractions of senders and items that stay unseen. Seed 2 leaves no sender above a quarter of the test photos."""

    seed: int = 2
    validation: float = 0.1
    test: float = 0.2

    def part(self, unit: str) -> Part:
        """The part a sender or an item belongs to. It follows from a hash alone: adding photos moves no other."""
        digest = hashlib.sha256(f"{self.seed}/{unit}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        if place < 1 - self.validation - self.test:
            return "train"
        return "validation" if place < 1 - self.test else "test"

    def as_dict(self) -> dict[str, float]:
        """For run folders and model cards."""
        return asdict(self)


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo; what a source does not say is empty."""

    file: str  # below the data set's folder
    domain: Domain
    category: str  # joint: what shop and consumer photos share
    type: str  # the source's own word
    gender: str
    colour: str
    sender: str
    item: str  # photos of one garment share it
    part: Part
    role: Role = ""  # in a protocol that says which photos ask and which answer
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
        """What photos share their luck by: the sender, or the item."""
        return self.sender or self.item

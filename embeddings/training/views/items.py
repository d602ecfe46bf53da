"""Items, of which a training step draws views: a garment and all of its photos.

Two views of an item are a pair: one as a phone shows it, one as a shop shows it. If an item has photos of one domain
only, a cut-out takes the other domain's place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from embeddings.training.config import Augmentation
from embeddings.training.data.photos import LabelledPhoto, Pixels
from embeddings.training.views.augmentation import consumer_view, phone_view, shop_view, studio_view
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.street import as_small, cropped_view, worn_view

_NEW_PLACE = 0.5  # of the views of a consumer photo that has a cut-out
_STREET = 0.34  # of the phone views of a shop photo
_WORN = 0.12  # of the same


@dataclass(frozen=True, eq=False)
class LoadedPhoto:
    """A photo in memory, with the garment cut from it (RGBA) if that was possible."""

    photo: LabelledPhoto
    pixels: Pixels
    garment: Image.Image | None

    def phone_view(self, scenery: "Scenery", rng: np.random.Generator, strength: Augmentation, side: int) -> Pixels:
        """Show the garment as a phone does, in its own place, in another or on people: (side, side, 3)."""
        street = rng.random()
        if self.photo.domain == "shop" and self.garment is not None and street < _STREET * strength.street:
            if scenery.people and street < _WORN * strength.street:
                person = scenery.people[int(rng.integers(len(scenery.people)))]
                return worn_view(self.garment, person, scenery.backgrounds, rng, strength, side)
            return cropped_view(self.pixels, rng, strength, side)
        elsewhere = self.photo.domain == "shop" or rng.random() < _NEW_PLACE * strength.ground
        if self.garment is not None and elsewhere:
            return phone_view(self.garment, scenery.backgrounds, scenery.garments, rng, strength, side)
        return consumer_view(self.pixels, rng, strength, side)

    def shop_view(self, rng: np.random.Generator, small: float, side: int) -> Pixels:
        """Show the garment as a shop does: (side, side, 3). A consumer photo must have a cut-out.

        `small` is the share of large shop photos that are made small.
        """
        if self.photo.domain == "shop":
            degraded = not self.photo.small and rng.random() < small
            return shop_view(as_small(self.pixels, rng) if degraded else self.pixels, rng, side)
        assert self.garment is not None  # noqa: S101 - `group` puts no other photo on this side
        return studio_view(self.garment, rng, side)


@dataclass(frozen=True)
class Scenery:
    """The backgrounds, garments and people that a garment can be shown with."""

    backgrounds: Backgrounds
    garments: Sequence[Image.Image]
    """Cut-outs (RGBA) to lay beside it."""
    people: Sequence[Pixels]
    """Shop photos (h, w, 3) of people who wear something else."""


@dataclass(frozen=True, eq=False)
class Item:
    """A garment with at least one photo for each side of a pair."""

    query_side: tuple[LoadedPhoto, ...]
    gallery_side: tuple[LoadedPhoto, ...]

    @property
    def category(self) -> str:
        """The joint category."""
        return self.gallery_side[0].photo.category


def group(pictures: Iterable[LoadedPhoto]) -> list[Item]:
    """Group photos into items that have both sides, in the order of their first photo.

    A photo of the other domain is preferred to a cut-out, since a drawn view is never as true as a second photo.
    """
    by_item: dict[str, list[LoadedPhoto]] = {}
    for picture in pictures:
        by_item.setdefault(picture.photo.item, []).append(picture)
    items = []
    for found in by_item.values():
        consumer = tuple(each for each in found if each.photo.domain == "consumer")
        shop = tuple(each for each in found if each.photo.domain == "shop")
        shop_side = shop or tuple(each for each in consumer if each.garment is not None)
        if shop_side:
            items.append(Item(consumer or shop, shop_side))
    return items

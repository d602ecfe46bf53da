"""A product feed for drawn garments, with made-up names and prices."""

import csv
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from random import Random

_NOUNS = {
    "shirts": ("shirt", 29, "Clothes > Tops > Shirts"),
    "dresses": ("dress", 59, "Clothes > Dresses"),
    "trousers": ("trousers", 49, "Clothes > Trousers"),
    "skirts": ("skirt", 39, "Clothes > Skirts"),
    "shoes": ("shoes", 69, "Shoes"),
    "bags": ("bag", 45, "Accessories > Bags"),
    "hats": ("hat", 19, "Accessories > Hats"),
}
"""By folder: the word for one, a usual price, and the product type."""
_NAMES = ("Alva", "Bruno", "Clara", "Dario", "Edda", "Falk", "Greta", "Hugo", "Ida", "Jonas", "Karla", "Lasse")
_BRANDS = ("Nordwind", "Atelier Sol", "Moor & Main", "Kleinod")
_MATERIALS = {"shoes": "leather", "bags": "leather/canvas", "hats": "wool"}
_COLUMNS = (
    *("id", "title", "link", "key", "additional_image_link", "price", "sale_price", "availability"),
    *("brand", "color", "pattern", "material", "product_type", "rating"),
)


def write_feed(folder: Path, photos: Iterable[Path]) -> Path:
    """Write `<folder>/feed.csv`, unless it exists. Every other garment of the same kind, colour and pattern is the
    second photo of the one before.

    Args:
        folder: the gallery.
        photos: its files, named `<type>/<colour>-<pattern>-<number>.jpg`.
    """
    file = folder / "feed.csv"
    if file.exists():
        return file
    unfinished = file.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(_COLUMNS)
        keys = sorted(photo.relative_to(folder).as_posix() for photo in photos)
        for _, alike in groupby(keys, key=lambda key: key.rpartition("-")[0]):
            same = list(alike)
            rows.writerows(_row(same[place : place + 2]) for place in range(0, len(same), 2))
    unfinished.replace(file)
    return file


def _row(keys: Sequence[str]) -> list[str]:
    garment, _, name = keys[0].partition("/")
    colour, pattern, _ = name.split("-")
    noun, usual, product_type = _NOUNS[garment]
    random = Random(keys[0])  # noqa: S311 - a shop that does not exist
    title = f"{random.choice(_NAMES)} {'' if pattern == 'plain' else f'{pattern} '}{noun}"
    price = usual + 10 * random.randrange(-1, 4) - 0.05
    identity = name.rpartition(".")[0]
    return [
        f"{garment}-{identity}",
        f"{title}, {colour}",
        f"https://shop.example/{garment}/{identity}",
        keys[0],
        ",".join(keys[1:]),
        f"{price:.2f} EUR",
        f"{price * 0.7:.2f} EUR" if random.random() < 0.2 else "",
        "in_stock" if random.random() < 0.85 else "out_of_stock",
        random.choice(_BRANDS),
        f"{colour}/white" if pattern != "plain" else colour,
        pattern,
        _MATERIALS.get(garment, "cotton"),
        product_type,
        str(random.randrange(30, 51) / 10),
    ]

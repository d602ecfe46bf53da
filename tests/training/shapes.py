"""A labelled set of drawn garments, small enough to train on in seconds."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from embeddings.training.config import Mix
from embeddings.training.data.datasets import load_pixels, read_photos
from embeddings.training.data.photos import Pixels, Split
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask
from embeddings.training.views.items import LoadedPhoto

COLOURS = {"Red": (190, 30, 40), "Blue": (40, 70, 180), "Green": (30, 130, 60), "Black": (25, 25, 25)}
MIX = Mix(pairs=4, consumer_pairs=2, singles=3)
SPLIT = Split(validation=0.2, test=0.4)
WHITE = (255, 255, 255)
SHAPES = ("Tshirts", "Trousers")
_CONSUMER_WORD = {"Tshirts": "T-Shirt", "Trousers": "Pants"}


def draw_garment(kind: str, colour: tuple[int, int, int], ground: tuple[int, int, int], size=(120, 160)) -> Image.Image:
    image = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(image)
    width, height = size
    if kind == "Tshirts":
        pen.rectangle((width * 0.25, height * 0.2, width * 0.75, height * 0.8), fill=colour)
        pen.rectangle((width * 0.1, height * 0.2, width * 0.9, height * 0.4), fill=colour)
    else:
        pen.rectangle((width * 0.3, height * 0.1, width * 0.7, height * 0.3), fill=colour)
        pen.rectangle((width * 0.3, height * 0.3, width * 0.45, height * 0.9), fill=colour)
        pen.rectangle((width * 0.55, height * 0.3, width * 0.7, height * 0.9), fill=colour)
    return image


def rgb(values: np.ndarray) -> tuple[int, int, int]:
    """A colour for Pillow."""
    red, green, blue = map(int, values)
    return red, green, blue


def write_shapes(folder: Path, shop: int = 120, senders: int = 24) -> Path:
    """`shop` drawn items on white, and two photos of each of `senders` on grounds of any colour."""
    rng = np.random.default_rng(0)
    for domain in ("shop", "consumer"):
        (folder / domain).mkdir(parents=True)
    rows = []
    for number in range(shop + 2 * senders):
        kind, colour = SHAPES[number % 2], list(COLOURS)[number // 2 % len(COLOURS)]
        shade = rgb(np.clip(np.array(COLOURS[colour]) + rng.integers(-20, 21, 3), 0, 235))
        if number < shop:
            file = f"shop/{number}.png"
            draw_garment(kind, shade, WHITE).save(folder / file)
            rows.append((file, "shop", kind, "Men" if number % 3 else "Women", colour, ""))
        else:
            file = f"consumer/{number}.png"
            ground = rgb(rng.integers(0, 256, 3))
            draw_garment(kind, shade, ground).save(folder / file)
            rows.append((file, "consumer", _CONSUMER_WORD[kind], "", "", str((number - shop) // 2)))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("file", "domain", "category", "gender", "colour", "sender"), *rows])
    return folder


def shop_photo(colour: tuple[int, int, int] = COLOURS["Red"]) -> np.ndarray:
    """A t-shirt on white (160, 120, 3)."""
    return np.asarray(draw_garment("Tshirts", colour, WHITE))


def write_classes(folder: Path) -> Path:
    """A folder per class, with names that are not HTML."""
    for number in range(40):
        word, label = (("Tshirts", "tees & <b>tops"), ("Trousers", "trousers"))[number % 2]
        colour = rgb(np.clip(np.array(list(COLOURS.values())[number // 2 % 4]) + number, 0, 240))
        (folder / label).mkdir(exist_ok=True)
        draw_garment(word, colour, WHITE).save(folder / label / f"{number}.png")
    return folder


def load_training_photos(folder: Path, masked: bool) -> list[LoadedPhoto]:
    """The training part of `write_shapes`; consumer photos have a mask of the drawn garment where `masked`."""
    photos = [photo for photo in read_photos(folder, Split()) if photo.part == "train"]
    return [
        LoadedPhoto(photo, pixels, cut_out(pixels) if photo.domain == "shop" else _cut(pixels) if masked else None)
        for photo, pixels in zip(photos, load_pixels(folder, photos), strict=True)
    ]


def _cut(pixels: Pixels) -> Image.Image | None:
    return cut_out_by_mask(pixels, Image.fromarray((pixels != pixels[0, 0]).any(axis=2)))

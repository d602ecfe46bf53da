from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.datasets import DatasetError, Split, load_pixels, read_photos, select


def test_no_sender_is_in_two_parts(shapes: Path):
    parts = defaultdict(set)
    for photo in read_photos(shapes, Split()):
        if photo.domain == "consumer":
            parts[photo.sender].add(photo.part)
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {"train", "validation", "test"}


def test_the_split_follows_from_the_seed_and_not_from_the_other_photos(shapes: Path, tmp_path: Path):
    whole = {photo.file: photo.part for photo in read_photos(shapes, Split(seed=5))}
    lines = (shapes / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join([lines[0], *reversed(lines[1::2])]) + "\n")
    assert all(whole[photo.file] == photo.part for photo in read_photos(tmp_path, Split(seed=5)))
    assert whole != {photo.file: photo.part for photo in read_photos(shapes, Split(seed=6))}


def test_the_fractions_are_kept():
    parts = [Split(seed=1, validation=0.1, test=0.2).part(str(number)) for number in range(4000)]
    assert parts.count("test") / 4000 == pytest.approx(0.2, abs=0.02)
    assert parts.count("validation") / 4000 == pytest.approx(0.1, abs=0.02)


def test_select_takes_domain_and_parts(shapes: Path):
    photos = read_photos(shapes, Split())
    chosen = select(photos, "shop", "validation", "test")
    assert {photo.domain for photo in chosen} == {"shop"}
    assert {photo.part for photo in chosen} == {"validation", "test"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,domain\n", "lacks the columns category"),
        ("file,domain,category,gender,colour,sender\na.png,street,Tshirts,,,\n", r"labels.csv:2.*'street'"),
        ("file,domain,category,gender,colour,sender\na.png,shop,Toga,,,\n", r"labels.csv:2.*'Toga'"),
        ("file,domain,category,gender,colour,sender\na.png,consumer,Pants,,,\n", "without a sender"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, content: str, message: str):
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_photos(tmp_path, Split())


def test_a_missing_table_and_a_broken_photo_are_named(tmp_path: Path, shapes: Path):
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        read_photos(tmp_path, Split())
    photos = read_photos(shapes, Split())[:1]
    (tmp_path / "shop").mkdir()
    (tmp_path / photos[0].file).write_bytes(b"no image")
    with pytest.raises(DatasetError, match=photos[0].file):
        load_pixels(tmp_path, photos)


def test_large_photos_are_scaled_and_turned_upright(tmp_path: Path, shapes: Path):
    photo = read_photos(shapes, Split())[0]
    (tmp_path / "shop").mkdir()
    image = Image.new("RGB", (400, 800), "white")
    image.paste("red", (0, 0, 400, 100))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / photo.file, exif=exif)
    (pixels,) = load_pixels(tmp_path, [photo])
    assert pixels.shape == (384, 192, 3)
    assert pixels[-1, 0].tolist() == [255, 0, 0]
    assert np.all(pixels[0] == 255)

"""Reading a folder of any layout, choosing from its photos, and decoding them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.data.datasets import load_pixels, read_photos, select
from embeddings.training.data.photos import DatasetError, Split


def test_select_takes_domain_and_parts(shapes: Path):
    photos = read_photos(shapes, Split())
    chosen = select(photos, "shop", "validation", "test")
    assert {photo.domain for photo in chosen} == {"shop"}
    assert {photo.part for photo in chosen} == {"validation", "test"}


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_photos_is_refused_with_the_known_layouts(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no photo")
    with pytest.raises(DatasetError, match=rf"{name} holds no photos.*labels\.csv.*list_eval_partition\.txt.*\.jpg"):
        read_photos(tmp_path / name, Split())


def test_a_broken_photo_is_named(tmp_path: Path, shapes: Path):
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

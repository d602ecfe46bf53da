"""A folder per class, and a gallery without labels."""

from pathlib import Path

import pytest

from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import Split
from tests.training.shapes import draw_garment


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw_garment("Tshirts", (190, 30, 40), (255, 255, 255)).save(folder / name)


def test_folders_are_classes_and_every_photo_is_an_item(tmp_path: Path):
    put(tmp_path, "dress/2.png", "dress/1.JPG", "shoe & boot/1.webp", ".cache/x.png")
    (tmp_path / "dress" / "notes.txt").write_text("no photo")
    photos = read_photos(tmp_path, Split())
    assert [(photo.file, photo.category, photo.domain, photo.item) for photo in photos] == [
        ("dress/1.JPG", "dress", "shop", "dress/1.JPG"),
        ("dress/2.png", "dress", "shop", "dress/2.png"),
        ("shoe & boot/1.webp", "shoe & boot", "shop", "shoe & boot/1.webp"),
    ]


@pytest.mark.parametrize(
    "names", [("1.png", "2.png"), ("all/1.png", "all/2.png"), ("1.png", "a/2.png", "b/3.png"), ("a/1.png", "b/c/2.png")]
)
def test_photos_anywhere_below_a_folder_are_a_gallery_without_labels(tmp_path: Path, names: tuple[str, ...]):
    put(tmp_path, *names)
    photos = read_photos(tmp_path, Split())
    assert [photo.file for photo in photos] == sorted(names)
    assert {(photo.category, photo.kind, photo.colour, photo.domain) for photo in photos} == {("", "", "", "shop")}
    assert len({photo.item for photo in photos}) == len(names)

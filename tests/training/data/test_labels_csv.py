"""labels.csv: its columns, what may be missing, and who is in which part."""

from collections import defaultdict
from pathlib import Path

import pytest

from embeddings.training.data import labels_csv
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import DatasetError, Split

HEADER = "file,domain,category,gender,colour,sender\n"
LONG_HEADER = "file,domain,category,gender,colour,sender,title,usage,small\n"


def test_no_sender_is_in_two_parts(shapes: Path):
    parts = defaultdict(set)
    for photo in read_photos(shapes, Split()):
        if photo.domain == "consumer":
            parts[photo.sender].add(photo.part)
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {"train", "validation", "test"}


def test_the_split_depends_on_the_seed_and_not_on_other_photos(shapes: Path, tmp_path: Path):
    whole = {photo.file: photo.part for photo in read_photos(shapes, Split(seed=5))}
    lines = (shapes / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join([lines[0], *reversed(lines[1::2])]) + "\n")
    assert all(whole[photo.file] == photo.part for photo in read_photos(tmp_path, Split(seed=5)))
    assert whole != {photo.file: photo.part for photo in read_photos(shapes, Split(seed=6))}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,domain\n", "lacks the columns category"),
        (f"{HEADER}a.png,street,Tshirts,,,\n", r"labels.csv:2.*'street'"),
        (f"{HEADER}a.png,shop,Toga,,,\n", r"labels.csv:2.*'Toga'"),
        (f"{HEADER}a.png,shop,Tshirts,,,\nb.png,consumer,Pants\n", r"labels.csv:3.*without a sender"),
        (f"{HEADER}a.png,consumer,Pants,,,unknown\n", r"labels.csv:2.*without a sender"),
        (f"{HEADER}a.png,shop,,,,\n", r"labels.csv:2.*''"),
        (f"{LONG_HEADER}a.png,shop,Tshirts,,,,,,no\n", r"labels.csv:2: small is 'no'"),
        (f"{HEADER},shop,Tshirts,,,\n", r"labels.csv:2.*without a file"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, content: str | bytes, message: str):
    (tmp_path / "labels.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message):
        read_photos(tmp_path, Split())


def write_table(folder: Path, *rows: str) -> Path:
    (folder / "labels.csv").write_text(LONG_HEADER + "\n".join(rows) + "\n")
    return folder


def test_title_usage_and_small_are_read_if_the_table_has_them(tmp_path: Path):
    rows = ("a.webp,shop,Tshirts,Men,Navy Blue,,Turtle Check Shirt,Casual,", "b.jpg,shop,Watches,,,,,,yes")
    large, small = labels_csv.read(write_table(tmp_path, *rows), Split())
    assert (large.title, large.usage, large.small) == ("Turtle Check Shirt", "Casual", False)
    assert (small.title, small.usage, small.small, small.category) == ("", "", True, "watch")


def test_small_and_unlabelled_photos_are_for_training(tmp_path: Path):
    small = [f"{number}.jpg,shop,Tshirts,,,,title {number},,yes" for number in range(50)]
    unlabelled = [f"{number}.webp,consumer,,,,{'unknown' if number % 2 else number},,," for number in range(50)]
    photos = labels_csv.read(write_table(tmp_path, *small, *unlabelled), Split(validation=0.5, test=0.5))
    assert len(photos) == 100
    assert {photo.part for photo in photos} == {"train"}
    assert {(photo.category, photo.kind) for photo in photos if photo.domain == "consumer"} == {("", "")}
    assert len({photo.unit for photo in photos}) == 100  # nobody is called unknown


def test_small_photos_move_no_large_photo_and_leaks_are_left_out(tmp_path: Path):
    large = [f"{number}.webp,shop,Tshirts,,Red,,title {number},," for number in range(30)]
    before = labels_csv.read(write_table(tmp_path, *large), Split())
    twins = [f"{number}.jpg,shop,Tshirts,,Red,,title {number},,yes" for number in range(30)]
    after = labels_csv.read(write_table(tmp_path, *twins, *large), Split())
    assert [photo for photo in after if not photo.small] == before
    training = {photo.title for photo in before if photo.part == "train"}
    assert 0 < len(training) < 30
    assert [photo.title for photo in after if photo.small] == [p.title for p in before if p.title in training]

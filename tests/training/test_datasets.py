from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.data.datasets import load_pixels, read_photos, select
from embeddings.training.data.photos import DatasetError, Split
from tests.training.deepfashion_fixture import write_consumer_to_shop, write_in_shop, write_partition
from tests.training.shapes import draw_garment

HEADER = "file,domain,category,gender,colour,sender\n"
PAIRS = "image_pair_name_1 image_pair_name_2 item_id evaluation_status"


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
        (f"{HEADER}a.png,street,Tshirts,,,\n", r"labels.csv:2.*'street'"),
        (f"{HEADER}a.png,shop,Toga,,,\n", r"labels.csv:2.*'Toga'"),
        (f"{HEADER}a.png,shop,Tshirts,,,\nb.png,consumer,Pants\n", r"labels.csv:3.*without a sender"),
        (f"{HEADER},shop,Tshirts,,,\n", r"labels.csv:2.*without a file"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, content: str | bytes, message: str):
    (tmp_path / "labels.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message):
        read_photos(tmp_path, Split())


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_photos_is_told_what_it_may_hold(tmp_path: Path, name: str):
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


def test_consumer_to_shop_keeps_its_official_parts(tmp_path: Path):
    photos = read_photos(write_consumer_to_shop(tmp_path, items=8), Split())
    assert len(photos) == 8 * 3  # the shop photo stands in two rows
    assert Counter((photo.domain, photo.part, photo.role) for photo in photos) == {
        ("consumer", "train", ""): 4,
        ("shop", "train", ""): 2,
        ("consumer", "validation", "query"): 4,
        ("shop", "validation", "gallery"): 2,
        ("consumer", "test", "query"): 8,
        ("shop", "test", "gallery"): 4,
    }
    consumer, shop = photos[:2]
    assert consumer.file == "img/TOPS/Blouse/id_00000001/comsumer_01.jpg"
    assert (consumer.item, consumer.category) == (shop.item, shop.category) == ("id_00000001", "Blouse")
    assert all(pixels.shape == (80, 60, 3) for pixels in load_pixels(tmp_path, photos))


def test_in_shop_keeps_query_and_gallery_and_spares_training_items_to_validate(tmp_path: Path):
    photos = read_photos(write_in_shop(tmp_path), Split())
    assert Counter((photo.part == "test", photo.role) for photo in photos) == {
        (False, ""): 90,
        (True, "query"): 30,
        (True, "gallery"): 60,
    }
    parts = defaultdict(set)
    for photo in photos:
        parts[photo.part].add(photo.item)
    assert 0 < len(parts["validation"]) < len(parts["train"])
    assert not parts["validation"] & parts["train"]
    # The archive leaves the photos below Img/.
    assert photos[0].file == "Img/img/WOMEN/Dresses/id_00000001/02_1_front.jpg"
    assert (photos[0].type, photos[0].gender, photos[0].kind) == ("Dresses", "Women", "Dresses, Women")
    assert load_pixels(tmp_path, photos[:1])[0].shape == (80, 60, 3)


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("image_name category_label", "img/a.jpg 3", r"partition\.txt:2.*image_pair_name_1.*image_name"),
        ("image_name item_id evaluation_status", "img/WOMEN/Tees/id_1/a.jpg id_1", r"partition\.txt:3.*2 words"),
        ("image_name item_id evaluation_status", "img/WOMEN/Tees/id_1/a.jpg id_1 val", r":3.*'val'.*query"),
        (PAIRS, "img/TOPS/Tee/id_1/a.jpg img/TOPS/Tee/id_1/b.jpg id_1 query", r":3.*'query'.*val"),
        (PAIRS, "img/TOPS/Tee/id_1/a.jpg b.jpg id_1 val", r":3.*b\.jpg is not as in"),
    ],
)
def test_a_wrong_partition_is_refused_with_its_line(tmp_path: Path, columns: str, row: str, message: str):
    write_partition(tmp_path, columns, [row])
    with pytest.raises(DatasetError, match=message):
        read_photos(tmp_path, Split())


def test_a_partition_cut_short_is_refused(tmp_path: Path):
    write_partition(tmp_path, "", [])
    (tmp_path / "Eval" / "list_eval_partition.txt").write_text("52712\n")
    with pytest.raises(DatasetError, match="columns"):
        read_photos(tmp_path, Split())


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

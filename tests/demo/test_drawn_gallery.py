from pathlib import Path

from PIL import Image

from embeddings.products.feed import read_feed
from embeddings.products.matching import match
from scripts.drawing.feed import write_feed
from scripts.drawn_gallery import TYPES, draw_gallery


def test_the_same_seed_draws_the_same_garments(tmp_path: Path) -> None:
    first = draw_gallery(tmp_path / "first", count=14, seed=5)
    second = draw_gallery(tmp_path / "second", count=14, seed=5)
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    other = draw_gallery(tmp_path / "other", count=14, seed=6)
    assert [file.read_bytes() for file in first] != [file.read_bytes() for file in other]


def test_every_type_has_a_folder_of_photos_with_readable_names(tmp_path: Path) -> None:
    files = draw_gallery(tmp_path, count=21)
    assert {file.parent.name for file in files} == set(TYPES)
    assert sorted(files) == sorted(tmp_path.rglob("*.*"))
    for file in files:
        colour, pattern, number = file.stem.split("-")
        assert colour.isalpha()
        assert pattern in ("plain", "striped", "checked", "dotted")
        assert number.isdecimal()
        with Image.open(file) as image:
            assert (image.format, image.size) == ("JPEG", (300, 400))
            background = image.getpixel((2, 2))
            assert isinstance(background, tuple)
            assert min(background) > 235, "the background is not white"
            assert image.entropy() > 1, "nothing is drawn"


def test_the_feed_has_a_row_for_each_garment_and_two_photos_for_some(tmp_path: Path) -> None:
    files = draw_gallery(tmp_path, count=80)
    feed = write_feed(tmp_path, files)
    read = read_feed(feed.read_bytes())
    matches = match(read.rows, {file.relative_to(tmp_path).as_posix() for file in files})
    assert not (read.refusals + matches.refusals).count
    assert len(matches.products) == 80
    assert 40 < len(read.rows) < 80
    for key, product in matches.products.items():
        assert key.split("/")[1].split("-")[0] in product.values["color"]  # type: ignore[operator]
    (tmp_path / "other").mkdir()
    again = write_feed(tmp_path / "other", [tmp_path / "other" / file.relative_to(tmp_path) for file in files])
    assert again.read_bytes() == feed.read_bytes()
    feed.write_text("mine")
    assert write_feed(tmp_path, files).read_text() == "mine"


def test_existing_files_stay_as_they_are(tmp_path: Path) -> None:
    files = draw_gallery(tmp_path, count=8)
    whole = files[5].read_bytes()
    files[5].unlink()
    files[3].write_bytes(b"mine")
    assert draw_gallery(tmp_path, count=8) == files
    assert files[5].read_bytes() == whole
    assert files[3].read_bytes() == b"mine"

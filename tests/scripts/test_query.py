"""`query.py` prints what the library finds, and its sheet shows the same."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from embeddings.preprocess import Box
from embeddings.products.product import Price, Product, Value
from scripts.query import main
from scripts.reporting.contact_sheet import SIDE, _font, _shortened
from scripts.reporting.thumbnails import thumbnail
from tests.functions.products import add_products
from tests.photos import photo
from tests.rebuild.gallery import Shop
from tests.sights import write_seeing_model

RED = (255, 0, 0)


@pytest.fixture
def red(tmp_path: Path) -> str:
    """A file with the same photo as the gallery's shirts/red.jpg."""
    file = tmp_path / "mine.jpg"
    file.write_bytes(photo("red", (80, 100)))
    return str(file)


@pytest.fixture
def ask(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    shop.rebuild()

    def ask(*arguments: str) -> str:
        assert main([*arguments, "--index", shop.index]) == 0
        return capsys.readouterr().out

    return ask


def answers(said: str) -> list[list[tuple[str, float]]]:
    return [[(each["key"], each["score"]) for each in answer["results"]] for answer in json.loads(said)["answers"]]


def test_table_and_sheet_on_every_storage(any_shop: Shop, red: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    any_shop.rebuild()
    sheet = tmp_path / "sheet.png"
    assert main([red, "--index", any_shop.index, "--gallery", any_shop.gallery, "--sheet", str(sheet)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 images, generation 2")
    assert lines[2] == f"similar to {red}:"
    assert lines[3].split() == ["1", "1.000000", "shirts/red.jpg"]
    assert [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert lines[-1] == f"contact sheet: {sheet}"
    with Image.open(sheet) as image:
        assert image.width > 4 * SIDE


def test_it_finds_what_the_library_finds(ask: Callable[..., str], shop: Shop, red: str, tmp_path: Path):
    other = tmp_path / "other.png"
    other.write_bytes(photo("green", (120, 90), "PNG"))
    generation = shop.load()
    whole = generation.embedder.embed([Path(red).read_bytes(), other.read_bytes()])
    assert answers(ask(red, str(other), "--json")) == [generation.gallery.search(vector) for vector in whole]

    part = generation.embedder.embed([Path(red).read_bytes()], box=Box(0.25, 0, 0.5, 0.4))[0]
    assert answers(ask(red, "--json", "--box", "0.25,0,0.5,0.4")) == [generation.gallery.search(part)]

    second = generation.gallery.search(whole[0])[1].score
    assert len(answers(ask(red, "--json", "--min-score", str(second)))[0]) == 2
    assert len(answers(ask(red, "--json", "--dedupe", str(second - 1e-4)))[0]) < 3
    assert [key for key, _ in answers(ask(red, "--json", "--prefix", "shoes"))[0]] == ["shoes/green.jpg"]
    assert len(answers(ask(red, "--json", "--k", "1"))[0]) == 1
    about = json.loads(ask(red, "--json"))["index"]
    assert about["generation"] == generation.manifest.generation
    assert about["count"] == 3


def test_an_image_of_the_gallery_does_not_find_itself(ask: Callable[..., str]):
    assert "shirts/red.jpg" not in [key for key, _ in answers(ask("--key", "shirts/red.jpg", "--json"))[0]]
    chosen = json.loads(ask("--random", "--prefix", "shoes", "--json"))["answers"][0]
    assert chosen == {"query": "shoes/green.jpg", "results": []}
    assert "no results; try a lower --min-score or another --prefix" in ask(
        "--key", "shoes/green.jpg", "--prefix", "shoes"
    )


def test_the_sheet_has_the_query_its_box_and_the_results_in_order(
    ask: Callable[..., str], shop: Shop, red: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sheet = tmp_path / "sheet.png"
    shop.photos.delete(["shirts/blue.jpg"])
    ranked = [key for key, _ in answers(ask(red, "--json", "--box", "0,0,0.5,1"))[0]]
    assert main(
        [red, "--index", shop.index, "--gallery", shop.gallery, "--sheet", str(sheet), "--box", "0,0,0.5,1"]
    ) == 0  # fmt: skip
    assert "1 of 3 photos could not be read" in capsys.readouterr().err
    with Image.open(sheet) as image:
        # Photos of 80 x 100 are in the middle of their cells; 20 pixels below their top are the garment's sleeves.
        height = 10 + (SIDE - 100) // 2 + 20
        query, *cells = (pixel(image, left + SIDE // 2 - 10, height) for left in (10, 180, 340, 500))
        edge = pixel(image, 10 + SIDE // 2 - 1, height)
    assert _near(query, RED)
    assert _near(edge, (215, 40, 40)), "the box ends in the middle of the photo"
    expected = {"shirts/red.jpg": RED, "shirts/blue.jpg": (225, 225, 225), "shoes/green.jpg": (0, 128, 0)}
    assert [next(key for key, colour in expected.items() if _near(cell, colour)) for cell in cells] == ranked


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    colour = image.getpixel((x, y))
    assert isinstance(colour, tuple)
    return colour


def _near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 30


def test_there_is_no_sheet_if_no_photo_can_be_read(
    ask: Callable[..., str], shop: Shop, red: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sheet = tmp_path / "sheet.png"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main([red, "--index", shop.index, "--gallery", str(empty), "--sheet", str(sheet)]) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("error: no contact sheet: 3 of 3 photos")
    assert not sheet.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give photos, or --key, or --random"),
        (["a.jpg", "--random"], "give photos, or --key, or --random"),
        (["--random", "--box", "0,0,.5,.5"], "--box needs a photo"),
        (["a.jpg", "--sheet", "x.png"], "--sheet needs --gallery"),
        (["a.jpg", "--sheet", "x.gif", "--gallery", "g"], "does not end in .png"),
        (["a.jpg", "--box", "0.5,0,0.6,1"], "not x,y,w,h in fractions"),
        (["a.jpg", "--box", "0,0,1"], "not x,y,w,h in fractions"),
        (["a.jpg", "--min-score", "2"], "not a number from -1 to 1"),
        (["a.jpg", "--dedupe", "nan"], "not a number from 0 to 1"),
        (["a.jpg", "--dedupe", "-0.5"], "not a number from 0 to 1"),
        (["a.jpg", "--k", "0"], "not a whole number above 0"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--index", "i"])
    assert message in capsys.readouterr().err


def test_messages_name_the_mistake(
    ask: Callable[..., str], shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    for arguments, message in [
        ([str(text)], f"error: {text}: this is not a JPEG, PNG or WebP image"),
        (["--key", "none.jpg"], "error: the gallery has no image 'none.jpg'"),
        (["--random", "--prefix", "hats"], "error: the gallery has no image under 'hats'"),
    ]:
        assert main([*arguments, "--index", shop.index]) == 1
        assert message in capsys.readouterr().err


def test_thumbnails_are_upright_on_white_and_keep_their_shape():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert thumbnail(photo("red", (400, 200), exif=exif), 100).size == (50, 100)
    clear = Image.new("RGBA", (30, 60), (255, 0, 0, 0))
    file = BytesIO()
    clear.save(file, "PNG")
    picture = thumbnail(file.getvalue(), 100)
    assert (picture.size, picture.getpixel((5, 5))) == ((30, 60), (255, 255, 255))


SHIRT: dict[str, Value] = {
    "title": "Linen shirt",
    "price": Price(39, "EUR"),
    "sale_price": Price(19.5, "EUR"),
    "brand": "Nordhem",
}
PRODUCTS = {
    "shirts/red.jpg": Product("1", "shirt", SHIRT),
    "shirts/blue.jpg": Product("2", "shirt", {**SHIRT, "title": "Linen shirt, blue"}),
}


@pytest.fixture
def with_products(shop: Shop) -> Shop:
    shop.rebuild()
    add_products(Path(shop.index), PRODUCTS)
    return shop


def test_products_are_named_filtered_and_grouped(
    with_products: Shop, red: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    where = ["--where", "brand:nordhem", "--where", "sale_price:..20"]
    options = ["--index", with_products.index, *where]
    assert main([red, *options, "--gallery", with_products.gallery, "--sheet", str(sheet)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split() == ["1", "1.000000", "shirts/red.jpg", "Linen", "shirt", "19.50", "EUR"]
    assert lines[4].endswith("shirts/blue.jpg  Linen shirt, blue  19.50 EUR")
    assert sheet.exists()
    assert main([red, *options, "--group", "--json"]) == 0
    [result] = json.loads(capsys.readouterr().out)["answers"][0]["results"]
    assert (result["key"], result["others"], result["product"]["title"]) == (
        "shirts/red.jpg",
        ["shirts/blue.jpg"],
        "Linen shirt",
    )
    assert main(["--random", *options]) == 0
    assert "similar to shirts/" in capsys.readouterr().out
    assert main([red, "--index", with_products.index, "--where", "size:M"]) == 1
    assert "there is no such column; the columns are id (text)" in capsys.readouterr().err


def test_long_titles_make_room_for_the_price() -> None:
    pen = ImageDraw.Draw(Image.new("RGB", (10, 10)))
    line = _shortened(pen, "A very long title of a linen shirt for the summer  19.50 EUR")
    assert line.startswith("A very long")
    assert line.endswith("…  19.50 EUR")
    assert pen.textlength(line, font=_font(11)) <= SIDE
    assert len(_shortened(pen, "W" * 300)) < 40


def test_words_find_photos_or_change_what_a_photo_finds(
    shop: Shop, red: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "words.png"
    shop.rebuild(model=write_seeing_model(tmp_path))
    index = ["--index", shop.index, "--json"]
    drawn = ["--gallery", shop.gallery, "--sheet", str(sheet)]
    assert main(["--words", "in blue, zebra", *index, *drawn]) == 0
    said = capsys.readouterr()
    assert answers(said.out)[0][0][0] == "shirts/blue.jpg"
    assert json.loads(said.out)["answers"][0]["results"][0]["seen"] == {"colour": "blue", "words": ["check"]}
    assert "these words mean nothing here: zebra" in said.err
    assert sheet.exists()
    assert main([red, "--words", "green, not red", *index]) == 0
    assert answers(capsys.readouterr().out)[0][0][0] == "shoes/green.jpg"
    assert main(["--key", "shirts/red.jpg", "--words", "blue, not red", *index]) == 0
    assert answers(capsys.readouterr().out)[0][0][0] == "shirts/blue.jpg"
    assert main(["--words", "zebra", *index]) == 0
    assert answers(capsys.readouterr().out) == [[]]


def test_words_need_a_model_that_tells_what_it_sees(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.rebuild()
    assert main(["--words", "red", "--index", shop.index]) == 1
    assert "does not tell what it sees" in capsys.readouterr().err

"""Draw a contact sheet: each query, and beside it the results with their scores, best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from embeddings.neighbours import Neighbour
from embeddings.preprocess import WHOLE_PHOTO, Box

SIDE = 150
"""The side of a picture's cell, in pixels."""
_GAP, _CAPTION, _COLUMNS = 10, 49, 8
_INK, _PALE, _GREY, _RED = (30, 30, 30), (110, 110, 110), (225, 225, 225), (215, 40, 40)


class Shown(NamedTuple):
    """A result, and what its cell shows."""

    neighbour: Neighbour
    picture: Image.Image | None
    """None if the photo cannot be read; its cell is grey."""
    product: str
    """A line about its product, or ""."""


@dataclass(frozen=True)
class Row:
    """One query and its results."""

    name: str
    picture: Image.Image | None
    """None if the photo cannot be read; its cell is grey."""
    box: Box
    """The part of the photo that was searched for."""
    found: Sequence[Shown]


def draw_sheet(rows: Sequence[Row]) -> Image.Image:
    """Draw all queries, one below another."""
    columns = min(_COLUMNS, max((len(row.found) for row in rows), default=1)) or 1
    width = _left(columns) + _GAP
    heights = [_lines(row, columns) * _cell_height() + _GAP for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + _GAP), "white")
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        _draw_row(sheet, row, top, columns)
        top += height
    return sheet


def _draw_row(sheet: Image.Image, row: Row, top: int, columns: int) -> None:
    pen = ImageDraw.Draw(sheet)
    corner = _place(sheet, row.picture, _GAP, top)
    if row.picture is not None and row.box != WHOLE_PHOTO:
        width, height = row.picture.size
        x, y = corner[0] + row.box.x * width, corner[1] + row.box.y * height
        pen.rectangle((x, y, x + row.box.width * width - 1, y + row.box.height * height - 1), outline=_RED, width=2)
    _caption(pen, _GAP, top, "query", row.name)
    if not row.found:
        pen.text((_left(0), top + SIDE // 2), "nothing", fill=_PALE, font=_font(15))
    for number, (neighbour, picture, product) in enumerate(row.found):
        left, cell_top = _left(number % columns), top + number // columns * _cell_height()
        _place(sheet, picture, left, cell_top)
        _caption(pen, left, cell_top, f"{number + 1}   {neighbour.score:.3f}", neighbour.key)
        pen.text((left, cell_top + SIDE + 33), _shortened(pen, product), fill=_INK, font=_font(11))


def _place(sheet: Image.Image, picture: Image.Image | None, left: int, top: int) -> tuple[int, int]:
    """Paste a picture in the middle of its cell; return its top left corner."""
    if picture is None:
        ImageDraw.Draw(sheet).rectangle((left, top, left + SIDE - 1, top + SIDE - 1), fill=_GREY)
        return left, top
    corner = (left + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2)
    sheet.paste(picture, corner)
    return corner


def _caption(pen: ImageDraw.ImageDraw, left: int, top: int, title: str, name: str) -> None:
    pen.text((left, top + SIDE + 3), title, fill=_INK, font=_font(13))
    font = _font(11)
    # The end of a key says more than its beginning.
    while pen.textlength(name, font=font) > SIDE:
        name = "…" + name.lstrip("…")[1:]
    pen.text((left, top + SIDE + 19), name, fill=_PALE, font=font)


def _shortened(pen: ImageDraw.ImageDraw, product: str) -> str:
    """Take words out of the middle of a line that is too long; the price stands at its end."""
    title, gap, price = product.rpartition("  ") if "  " in product else (product, "", "")
    while title and pen.textlength(f"{title}{gap}{price}", font=_font(11)) > SIDE:
        title = title.removesuffix("…")[:-1] + "…" if len(title) > 1 else ""
    return f"{title}{gap}{price}"


def _lines(row: Row, columns: int) -> int:
    return max(-(-len(row.found) // columns), 1)


def _left(column: int) -> int:
    """Return the left edge of a result's cell; the query stands a little apart."""
    return _GAP + (SIDE + _GAP) * (column + 1) + _GAP


def _cell_height() -> int:
    return SIDE + _CAPTION + _GAP


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

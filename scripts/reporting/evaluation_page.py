"""Contact sheets of an evaluation: each query and its 16 results in a row, right results framed green."""

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw

from embeddings.training.evaluation.evaluation import Answers
from embeddings.training.evaluation.metrics import K, Rows

Choice = Literal["random", "best", "worst"]
CHOICES: tuple[Choice, ...] = ("random", "best", "worst")

_SIDE, _FRAME, _TITLE = 96, 4, 14
_GREEN, _RED = (40, 170, 60), (200, 50, 40)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Contact sheets</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 1rem; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; }
</style>
<h1>Contact sheets</h1>
<p>In each row the query, then its first 16 results: green frames are right, red ones wrong.</p>
"""


def choose(answers: Answers, choice: Choice, rows: int = 12, seed: int = 0) -> Rows:
    """Choose queries that have a right answer: at random, or those with the most or the fewest right results."""
    asked = np.flatnonzero(answers.search.relevant() > 0)
    order = np.random.default_rng(seed).permutation(asked)
    if choice != "random":
        hits = answers.search.right(answers.found[:, :K]).sum(axis=1)[order]
        order = order[np.argsort(hits if choice == "worst" else -hits, kind="stable")]
    return order[:rows]


def draw_sheet(answers: Answers, chosen: Rows, files: Sequence[bytes], path: Path) -> None:
    """Draw the chosen queries into a PNG file; `files` are the encoded photos of the pool."""
    search = answers.search
    cell = _SIDE + 2 * _FRAME
    found = answers.found[:, :K]
    sheet = Image.new("RGB", (cell * (found.shape[1] + 1) + 12, (cell + _TITLE) * len(chosen)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, query in enumerate(chosen):
        top = row * (cell + _TITLE)
        pen.text((2, top), str(search.wanted[query]), fill="black")
        sheet.paste(_thumbnail(files[search.queries[query]]), (_FRAME, top + _TITLE + _FRAME))
        for column, result in enumerate(found[query]):
            left = cell * (column + 1) + 12
            right = search.labels[result] == search.wanted[query]
            pen.rectangle(
                (left, top + _TITLE, left + cell - 1, top + _TITLE + cell - 1), fill=_GREEN if right else _RED
            )
            sheet.paste(_thumbnail(files[search.gallery[result]]), (left + _FRAME, top + _TITLE + _FRAME))
    sheet.save(path)


def _thumbnail(photo: bytes) -> Image.Image:
    """Put the photo on a grey square."""
    image = Image.open(BytesIO(photo)).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    square = Image.new("RGB", (_SIDE, _SIDE), (230, 230, 230))
    square.paste(image, ((_SIDE - image.width) // 2, (_SIDE - image.height) // 2))
    return square


class Page:
    """An HTML page that shows all sheets and names their queries."""

    def __init__(self, table: str) -> None:
        """Begin the page with the table of figures."""
        self._parts = [_PAGE, f"<pre>{escape(table)}</pre>\n"]

    def add(self, model: str, answers: Answers, choice: Choice, chosen: Rows, names: Sequence[str], sheet: str) -> None:
        """Add the sheet with the file name `sheet`; `names` are those of the pool's photos."""
        search = answers.search
        hits, reachable = search.right(answers.found[:, :K]).sum(axis=1), np.minimum(search.relevant(), K)
        title = escape(f"{model}: {search.name}, {choice}")
        rows = "".join(
            f"<li>{escape(names[search.queries[row]])}: {escape(str(search.wanted[row]))}, "
            f"{hits[row]} of {reachable[row]}</li>\n"
            for row in chosen
        )
        self._parts.append(
            f'<h2>{title}</h2>\n<img loading="lazy" src="{quote(sheet)}" alt="{title}">\n'
            f"<details><summary>The queries, in order</summary>\n<ol>\n{rows}</ol>\n</details>\n"
        )

    def write(self, path: Path) -> None:
        """Write the page."""
        path.write_text("".join(self._parts) + "</html>\n", encoding="utf-8")

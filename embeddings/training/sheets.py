"""Contact sheets: a query and its 16 results in a row, right ones framed green. Figures hide what eyes see."""

from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from embeddings.training.evaluate import Answers

Choice = Literal["random", "best", "worst"]
CHOICES: tuple[Choice, ...] = ("random", "best", "worst")

_SIDE, _FRAME, _TITLE = 96, 4, 14
_GREEN, _RED = (40, 170, 60), (200, 50, 40)


def draw_sheet(answers: Answers, choice: Choice, path: Path, rows: int = 12, seed: int = 0) -> None:
    """Write a PNG of some queries, drawn by chance, or those with the most or fewest right results."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(answers.queries))
    if choice != "random":
        hits = answers.right[order].sum(axis=1)
        order = order[np.argsort(hits if choice == "worst" else -hits, kind="stable")]
    chosen = order[:rows]
    cell = _SIDE + 2 * _FRAME
    sheet = Image.new("RGB", (cell * (answers.found.shape[1] + 1) + 12, (cell + _TITLE) * len(chosen)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, query in enumerate(chosen):
        top = row * (cell + _TITLE)
        pen.text((2, top), answers.titles[query], fill="black")
        sheet.paste(_thumbnail(answers.queries[query]), (_FRAME, top + _TITLE + _FRAME))
        for column, (result, right) in enumerate(zip(answers.found[query], answers.right[query], strict=True)):
            left = cell * (column + 1) + 12
            pen.rectangle(
                (left, top + _TITLE, left + cell - 1, top + _TITLE + cell - 1), fill=_GREEN if right else _RED
            )
            sheet.paste(_thumbnail(answers.results[result]), (left + _FRAME, top + _TITLE + _FRAME))
    sheet.save(path)


def _thumbnail(photo: bytes) -> Image.Image:
    """The photo on a grey square."""
    image = Image.open(BytesIO(photo)).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    square = Image.new("RGB", (_SIDE, _SIDE), (230, 230, 230))
    square.paste(image, ((_SIDE - image.width) // 2, (_SIDE - image.height) // 2))
    return square

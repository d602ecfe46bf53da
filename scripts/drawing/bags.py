"""Bags, standing. Lengths are pixels of the 300 x 400 canvas."""

from random import Random

from scripts.drawing.canvas import Canvas, path, symmetric
from scripts.drawing.cloth import Cloth, Rgb

_METAL: Rgb = (206, 178, 108)


def draw_bag(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a tote, a handbag with a flap or a backpack."""
    canvas.shadow(338, 96)
    random.choice((_tote, _handbag, _backpack))(canvas, cloth, random)


def _tote(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    top, wide = random.uniform(150, 180), random.uniform(80, 96)
    reach = random.uniform(80, 110)
    for inset, light in ((0.40, 0.6), (0.48, 0.8)):
        handle = path(
            (150 - wide * inset, top + 6),
            (150 - wide * inset + 8, top - reach, 150, top - reach),
            (150 + wide * inset - 8, top - reach, 150 + wide * inset, top + 6),
        )
        canvas.line(handle, cloth.plain(light).ground, 7, 1.0)
    canvas.piece(
        symmetric(
            path(
                (150, top + 3),
                (150 + wide, top),
                (150 + wide - 2, 250, 150 + wide - 12, 334),
                (150 + wide * 0.5, 340, 150, 340),
            )
        ),
        cloth,
    )
    for side in (-1, 1):
        canvas.line(
            [(150 + side * wide * 0.48, top + 2), (150 + side * wide * 0.48, top + 34)], cloth.plain(0.8).ground, 7, 1.0
        )


def _handbag(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    top, wide = random.uniform(186, 206), random.uniform(92, 108)
    reach = random.uniform(66, 96)
    handle = path(
        (150 - wide * 0.62, top + 8),
        (150 - wide * 0.6, top - reach, 150, top - reach),
        (150 + wide * 0.6, top - reach, 150 + wide * 0.62, top + 8),
    )
    canvas.line(handle, cloth.plain(0.6).ground, 9, 1.0)
    canvas.piece(
        symmetric(
            path(
                (150, top),
                (150 + wide - 14, top),
                (150 + wide, top + 2, 150 + wide, top + 26),
                (150 + wide + 4, 338, 150 + wide - 16, 338),
                (150, 340),
            )
        ),
        cloth,
    )
    flap = top + random.uniform(56, 74)
    canvas.piece(
        symmetric(
            path(
                (150, top - 3),
                (150 + wide - 12, top - 3),
                (150 + wide + 2, top, 150 + wide, top + 28),
                (150 + wide - 10, flap, 150, flap + 8),
            )
        ),
        cloth.plain(0.82),
    )
    canvas.piece(
        symmetric(path((150, flap - 10), (163, flap - 10), (163, flap + 16), (150, flap + 16))), Cloth(_METAL), edge=0.2
    )


def _backpack(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    top, wide = random.uniform(96, 116), random.uniform(74, 86)
    canvas.line(
        path((132, top + 6), (132, top - 28, 150, top - 28), (168, top - 28, 168, top + 6)),
        cloth.plain(0.5).ground,
        7,
        1.0,
    )
    for side in (-1, 1):
        canvas.line(
            path((150 + side * (wide - 12), 150), (150 + side * (wide + 26), 220, 150 + side * (wide - 8), 320)),
            cloth.plain(0.5).ground,
            9,
            1.0,
        )
    canvas.piece(
        symmetric(
            path(
                (150, top),
                (150 + wide - 6, top, 150 + wide, top + 76),
                (150 + wide + 2, 320),
                (150 + wide, 340, 150 + wide - 16, 340),
                (150, 340),
            )
        ),
        cloth,
    )
    canvas.line(
        path(
            (150 - wide + 8, top + 74),
            (150 - wide + 14, top + 16, 150, top + 16),
            (150 + wide - 14, top + 16, 150 + wide - 8, top + 74),
        ),
        (30, 28, 32),
        2,
        0.5,
    )
    canvas.piece(
        symmetric(
            path(
                (150, 240),
                (150 + wide - 24, 240),
                (150 + wide - 14, 242, 150 + wide - 14, 256),
                (150 + wide - 14, 326),
                (150, 328),
            )
        ),
        cloth.plain(0.82),
    )
    canvas.line([(150 - wide + 22, 258), (150 + wide - 22, 258)], _METAL, 2.5, 0.9)

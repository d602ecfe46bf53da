"""Shoes, seen from the side. Lengths are pixels of the 300 x 400 canvas."""

from random import Random

from scripts.drawing.canvas import Canvas, path
from scripts.drawing.cloth import WHITE, Cloth, Rgb

_SOLE: Rgb = (60, 54, 52)


def draw_shoe(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a sneaker, a boot or a pump."""
    floor = 272.0
    canvas.shadow(floor + 4, 118)
    random.choice((_sneaker, _boot, _pump))(canvas, cloth, floor, random)


def _sneaker(canvas: Canvas, cloth: Cloth, floor: float, random: Random) -> None:
    ankle = random.uniform(96, 118)
    canvas.piece(
        path(
            (112, floor - ankle + 4),
            (140, floor - ankle - 6, 152, floor - ankle + 14),
            (140, floor - 70),
            (100, floor - 70),
        ),
        cloth.plain(0.55),
    )
    canvas.piece(
        path(
            (54, floor - 20),
            (48, floor - 70, 60, floor - ankle - 2),
            (70, floor - ankle + 16, 100, floor - ankle + 22),
            (130, floor - ankle + 22, 146, floor - ankle + 6),
            (166, floor - 66, 216, floor - 58),
            (258, floor - 48, 254, floor - 16),
        ),
        cloth,
        angle=4,
    )
    canvas.piece(
        path(
            (206, floor - 58), (256, floor - 54, 254, floor - 14), (214, floor - 14), (196, floor - 34, 206, floor - 58)
        ),
        Cloth(WHITE),
    )
    for step in range(4):
        x, y = 154 + step * 14, floor - ankle + 26 + step * 9
        canvas.line([(x - 10, y + 10), (x + 8, y - 4)], WHITE, 4, 1.0)
    canvas.piece(
        path(
            (48, floor - 24),
            (150, floor - 16, 258, floor - 24),
            (262, floor, 246, floor),
            (58, floor),
            (44, floor, 48, floor - 24),
        ),
        Cloth(WHITE),
        edge=0.2,
    )
    canvas.line([(50, floor - 8), (256, floor - 8)], cloth.plain().ground, 3, 0.9)


def _boot(canvas: Canvas, cloth: Cloth, floor: float, random: Random) -> None:
    shaft = random.uniform(130, 190)
    canvas.piece(
        path(
            (70, floor - 14),
            (64, floor - 70, 74, floor - shaft),
            (110, floor - shaft + 8, 146, floor - shaft),
            (146, floor - 100, 152, floor - 78),
            (176, floor - 62, 214, floor - 54),
            (250, floor - 44, 248, floor - 12),
        ),
        cloth,
        angle=2,
    )
    canvas.piece(
        path(
            (73, floor - shaft),
            (110, floor - shaft + 8, 147, floor - shaft),
            (147, floor - shaft + 20),
            (110, floor - shaft + 28, 72, floor - shaft + 20),
        ),
        cloth.plain(0.65),
    )
    canvas.line(path((72, floor - 62), (110, floor - 52, 152, floor - 78)), (30, 28, 30), 2, 0.4)
    canvas.piece(
        path(
            (66, floor - 18),
            (150, floor - 12, 252, floor - 18),
            (252, floor - 4),
            (124, floor - 4),
            (116, floor + 4),
            (66, floor + 4),
        ),
        Cloth(_SOLE),
        edge=0.15,
    )


def _pump(canvas: Canvas, cloth: Cloth, floor: float, random: Random) -> None:
    lift = random.uniform(34, 66)
    heel = floor - lift
    canvas.piece(
        path(
            (52, heel - 14),
            (84, heel - 4),
            (76, heel + lift * 0.5, 70, floor + 2),
            (58, floor + 2),
            (58, heel + 20, 52, heel - 14),
        ),
        cloth.plain(0.6),
    )
    canvas.piece(
        path(
            (50, heel - 6),
            (46, heel - 44, 54, heel - 62),
            (84, heel - 26, 120, heel - 22 + lift * 0.3),
            (156, floor - 46, 176, floor - 44),
            (236, floor - 34, 262, floor - 4),
            (262, floor + 2, 250, floor + 2),
            (176, floor + 2),
            (130, floor - 4, 50, heel - 6),
        ),
        cloth,
        angle=12,
    )
    canvas.line(path((50, heel - 4), (130, floor - 2, 178, floor + 2), (252, floor + 2)), _SOLE, 4, 0.9)

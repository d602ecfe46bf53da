"""Hats. Lengths are pixels of the 300 x 400 canvas."""

from random import Random

from scripts.drawing.canvas import Canvas, path, symmetric
from scripts.drawing.cloth import Cloth


def draw_hat(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a cap, a hat with a brim or a beanie."""
    random.choice((_cap, _brimmed, _beanie))(canvas, cloth, random)


def _cap(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    height = random.uniform(96, 116)
    canvas.piece(
        path((62, 246), (56, 246 - height, 136, 246 - height), (206, 250 - height, 210, 246), (140, 258, 62, 246)),
        cloth,
    )
    canvas.piece(
        path((136, 244), (180, 226, 214, 232), (268, 238, 280, 262), (230, 256, 190, 258), (150, 262, 136, 244)),
        cloth.plain(0.75),
    )
    for bend in (96, 172):
        canvas.line(path((136, 246 - height), (bend, 180, bend, 248)), (30, 28, 32), 1.5, 0.35)
    canvas.disc((136, 246 - height), 5, cloth.plain(0.7).ground)


def _brimmed(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    brim, height = random.uniform(104, 128), random.uniform(84, 104)
    canvas.piece(
        symmetric(path((150, 222), (150 + brim, 222, 150 + brim, 246), (150 + brim, 272, 150, 272))), cloth, light=0.9
    )
    canvas.piece(
        symmetric(path((150, 246 - height), (196, 240 - height, 206, 200), (214, 246), (180, 258, 150, 258))), cloth
    )
    canvas.piece(symmetric(path((150, 232), (182, 232, 211, 222), (214, 246), (182, 258, 150, 258))), cloth.plain(0.5))


def _beanie(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    height = random.uniform(110, 132)
    if random.random() < 0.5:
        canvas.disc((150, 258 - height), 20, cloth.plain(1.1).ground)
    canvas.piece(symmetric(path((150, 266 - height), (226, 262 - height, 230, 262), (150, 270))), cloth)
    canvas.piece(symmetric(path((150, 226), (234, 222), (240, 240, 236, 272), (190, 280, 150, 280))), cloth.plain(0.82))
    for x in range(76, 230, 12):
        canvas.line([(x, 230), (x, 274)], (30, 28, 32), 2, 0.18)

"""Shirts, dresses, trousers and skirts, laid flat as on a shop's photo. Lengths are pixels of the 300 x 400 canvas."""

from math import atan2, degrees
from random import Random

from scripts.drawing.canvas import Canvas, Outline, mirrored, path, symmetric
from scripts.drawing.cloth import Cloth, Rgb

_SEAM: Rgb = (30, 28, 32)


def draw_shirt(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a T-shirt, a pullover or a buttoned shirt."""
    style = random.choice(("tee", "tee", "pullover", "buttoned"))
    shoulder, hem = random.uniform(74, 84), random.uniform(296, 326)
    chest = random.uniform(70, 80)
    top, neck = 72.0, random.uniform(24, 30)
    sleeve = random.uniform(62, 78) if style == "tee" else random.uniform(185, 205)
    drop = 150 + shoulder
    across = 0.5 if style == "tee" else 0.16
    cuff = (drop + sleeve * across, top + 14 + sleeve * (0.86 if style == "tee" else 0.95))
    width = 34 if style == "tee" else 22
    arm = path(
        (drop - 14, top + 8),
        (drop + 12, top + 12, drop + 18, top + 34),
        cuff,
        (cuff[0] - width, cuff[1] + width * 0.45),
        (150 + chest - 3, top + 82),
    )
    lean = degrees(atan2(cuff[1] - top, cuff[0] - drop)) - 90
    canvas.piece(arm, cloth, angle=lean, light=0.93)
    canvas.piece(mirrored(arm), cloth, angle=-lean, light=0.97)
    dip = random.choice((16, 34)) if style != "buttoned" else 10
    back = symmetric(
        path(
            (150, top - 4),
            (150 + neck * 0.6, top - 4, 150 + neck, top - 10),
            (150 + neck, top + 8),
            (150, top + dip + 6),
        )
    )
    canvas.piece(back, cloth.plain(0.6))
    body = path(
        (150, top + dip),
        (150 + neck * 0.8, top + dip, 150 + neck, top - 10),
        (drop - 6, top + 4),
        (drop + 4, top + 10, drop + 4, top + 26),
        (150 + chest, top + 82),
        (150 + chest - 5, (top + hem) / 2, 150 + chest + 3, hem - 4),
        (150 + chest * 0.5, hem + 5, 150, hem + 4),
    )
    canvas.piece(symmetric(body), cloth)
    if style == "buttoned":
        _buttons(canvas, cloth, top, neck, hem)
        return
    trim = path(
        (150 - neck, top - 10),
        (150 - neck * 0.8, top + dip, 150, top + dip),
        (150 + neck * 0.8, top + dip, 150 + neck, top - 10),
    )
    canvas.line(trim, cloth.plain(0.7).ground, 4, 0.9)
    if style == "pullover":
        canvas.piece(_band(150 - chest - 2, 150 + chest + 2, hem - 14, hem + 5), cloth.plain(0.8))


def draw_dress(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a dress with straps or short sleeves, fitted or flared, of any length."""
    top, waist = 58.0, random.uniform(158, 182)
    hem, flare = random.uniform(285, 370), random.uniform(58, 108)
    slim, chest = random.uniform(36, 42), random.uniform(46, 52)
    straps = random.random() < 0.5
    if straps:
        for side in (-1, 1):
            canvas.line([(150 + side * 27, top + 34), (150 + side * 24, top - 12)], cloth.plain(0.85).ground, 6, 1.0)
        bodice = path(
            (150, top + 44),
            (168, top + 22, 182, top + 26),
            (150 + chest - 6, top + 40, 150 + chest - 3, top + 66),
            (150 + slim, waist - 24, 150 + slim, waist),
            (150, waist + 2),
        )
    else:
        sleeve = path((196, top - 2), (224, top + 10, 234, top + 50), (206, top + 62), (192, top + 60))
        canvas.piece(sleeve, cloth, angle=-24, light=0.93)
        canvas.piece(mirrored(sleeve), cloth, angle=24, light=0.97)
        bodice = path(
            (150, top + 22),
            (172, top + 22, 176, top - 10),
            (204, top + 2),
            (206, top + 40, 150 + chest, top + 64),
            (150 + slim, waist - 24, 150 + slim, waist),
            (150, waist + 2),
        )
    skirt = path(
        (150, waist - 2),
        (150 + slim, waist - 2),
        (150 + slim + 6, waist + 40, 150 + flare, hem - 8),
        (150 + flare * 0.5, hem + 8, 150, hem + 6),
    )
    canvas.piece(symmetric(skirt), cloth)
    _folds(canvas, waist, hem, slim, flare)
    canvas.piece(symmetric(bodice), cloth)
    if random.random() < 0.6:
        canvas.piece(_band(150 - slim - 1, 150 + slim + 1, waist - 6, waist + 7), cloth.plain(0.55))
    else:
        canvas.line(path((150 - slim, waist), (150, waist + 4, 150 + slim, waist)), _SEAM, 1.2, 0.4)


def draw_trousers(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw trousers, slim to flared, or shorts."""
    top, waist, hip = 48.0, random.uniform(43, 49), random.uniform(56, 62)
    hem = random.uniform(205, 235) if random.random() < 0.25 else random.uniform(345, 368)
    outer = hip + random.choice((-14, -2, 14)) * (hem - 160) / 200
    inner = outer - random.uniform(34, 42) - (16 if hem < 250 else 0)
    leg = path(
        (150, top),
        (150 + waist, top),
        (150 + hip - 2, top + 34, 150 + hip, top + 80),
        (150 + (hip + outer) / 2 - 2, (top + 80 + hem) / 2, 150 + outer, hem),
        (150 + (outer + inner) / 2, hem + 5, 150 + inner, hem + 2),
        (150 + inner * 0.55, (hem + 150) / 2, 151, 146),
        (150, 140),
    )
    canvas.piece(leg, cloth, angle=-3, light=0.95)
    canvas.piece(mirrored(leg), cloth, angle=3)
    canvas.line([(150, top + 16), (150, 142)], _SEAM, 1.4, 0.55)
    canvas.line(path((150, top + 62), (159, top + 58, 159, top + 16)), _SEAM, 1.2, 0.4)
    for side in (-1, 1):
        canvas.line(
            path(
                (150 + side * (waist - 16), top + 16),
                (150 + side * (waist - 10), top + 38, 150 + side * (hip - 3), top + 44),
            ),
            _SEAM,
            1.4,
            0.5,
        )
    canvas.piece(_band(150 - waist - 1, 150 + waist + 1, top - 4, top + 14), cloth.plain(0.8))
    canvas.disc((150, top + 5), 3.5, (190, 180, 150))


def draw_skirt(canvas: Canvas, cloth: Cloth, random: Random) -> None:
    """Draw a skirt: pencil, A-line, or wide with folds."""
    top, waist = random.uniform(82, 96), random.uniform(44, 52)
    hem, flare = random.uniform(230, 335), random.choice((60, 88, 118)) + random.uniform(-6, 6)
    half = path(
        (150, top),
        (150 + waist, top),
        (150 + waist + 14, top + 40, 150 + flare, hem - 10),
        (150 + flare * 0.5, hem + 9, 150, hem + 7),
    )
    canvas.piece(symmetric(half), cloth)
    if flare > 75:
        _folds(canvas, top + 8, hem, waist, flare)
    canvas.piece(_band(150 - waist - 1, 150 + waist + 1, top - 8, top + 10), cloth.plain(0.75))


def _buttons(canvas: Canvas, cloth: Cloth, top: float, neck: float, hem: float) -> None:
    canvas.line([(156, top + 12), (156, hem + 3)], _SEAM, 1.2, 0.45)
    for number in range(6):
        canvas.disc((150, top + 34 + number * (hem - top - 56) / 5.5), 3, (250, 248, 242))
    wing = path((150, top + 14), (150 + neck + 4, top - 15), (150 + neck + 8, top + 4), (150 + neck - 6, top + 30))
    canvas.piece(wing, cloth.plain(1.08), edge=0.4)
    canvas.piece(mirrored(wing), cloth.plain(1.08), edge=0.4)


def _band(left: float, right: float, top: float, bottom: float) -> Outline:
    """Outline a strip around the body that sags a little."""
    middle = (left + right) / 2
    return path((left, top), (middle, top + 5, right, top), (right, bottom), (middle, bottom + 5, left, bottom))


def _folds(canvas: Canvas, top: float, hem: float, waist: float, flare: float) -> None:
    """Draw the folds of a wide cloth."""
    for share in (-0.6, -0.22, 0.25, 0.62):
        canvas.line(
            path(
                (150 + share * waist, top + 14),
                (150 + share * waist * 1.1, (top + hem) / 2, 150 + share * flare, hem - 4),
            ),
            _SEAM,
            2.2,
            0.16,
        )

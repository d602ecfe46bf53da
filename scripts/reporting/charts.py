"""The charts of a report: the map of all images as a PNG, the distribution of scores as SVG."""

from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scripts.reporting.index_contents import Vectors, folder_counts, folder_of
from scripts.reporting.projection import Plane
from scripts.reporting.score_distribution import Scores

# Okabe and Ito's palette, which any colour vision tells apart; folders beyond it are grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#4d4d4d")
_REST = "#bbbbbb"
_WIDTH, _HEIGHT, _LEGEND, _MARGIN = 1200, 900, 260, 30

_CURVES = ("#888888", "#e69f00", "#0072b2")
_BIN = 0.02
_PLOT_WIDTH, _PLOT_HEIGHT, _PLOT_MARGIN = 900, 260, 34
_PLOT_HEAD = 48  # two lines of text above the curves, so that none hides behind them


def draw_map(plane: Plane, keys: Sequence[str]) -> Image.Image:
    """Draw a dot for each image, coloured by its first folder."""
    points = plane.points
    scale = 2  # drawn at twice the size and scaled down, for smooth dots
    image = Image.new("RGB", ((_WIDTH + _LEGEND) * scale, _HEIGHT * scale), "white")
    pen = ImageDraw.Draw(image)
    counts = folder_counts(keys)
    colours = dict(zip(counts, _COLOURS, strict=False))
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    size = np.array([_WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN])
    places = (points - low) / span
    places[:, 1] = 1 - places[:, 1]
    radius = scale * float(np.clip(120 / len(points) ** 0.5, 1.2, 5))
    # In a random order, so that no folder covers another because of its name.
    for row in np.random.default_rng(0).permutation(len(points)):
        x, y = (places[row] * size + _MARGIN) * scale
        colour = colours.get(folder_of(keys[row]), _REST)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    image = image.resize((_WIDTH + _LEGEND, _HEIGHT), Image.Resampling.BOX)
    _legend(ImageDraw.Draw(image), counts, colours)
    return image


def _legend(pen: ImageDraw.ImageDraw, counts: dict[str, int], colours: dict[str, str]) -> None:
    entries = [(colours[folder], f"{folder}   {counts[folder]:,}") for folder in colours]
    rest = sum(counts.values()) - sum(counts[folder] for folder in colours)
    if rest:
        entries.append((_REST, f"others   {rest:,}"))
    for number, (colour, text) in enumerate(entries):
        y = _MARGIN + 28 * number
        pen.ellipse((_WIDTH, y, _WIDTH + 14, y + 14), fill=colour)
        pen.text((_WIDTH + 24, y - 2), text, fill="#222222", font=ImageFont.load_default(15))


def draw_scores(scores: Scores) -> str:
    """Return an SVG of the distributions, all drawn equally high so that their shapes compare."""
    curves = list(zip(scores.by_name().items(), _CURVES, strict=True))
    low = min(float(np.floor(min(values.min() for (_, values), _ in curves) * 10) / 10), 0.0)
    parts = [
        f'<svg viewBox="0 {-_PLOT_HEAD} {_PLOT_WIDTH} {_PLOT_HEAD + _PLOT_HEIGHT + _PLOT_MARGIN}" role="img" '
        f'aria-label="How often each score occurs" style="max-width:{_PLOT_WIDTH}px">'
    ]
    for (_, values), colour in curves:
        parts.append(f'<path d="{_outline(values, low)}" fill="{colour}" fill-opacity=".35" stroke="{colour}"/>')
    for tenth in range(round(low * 10), 11):
        x = _x(tenth / 10, low)
        parts.append(
            f'<path d="M{x:.1f} {_PLOT_HEIGHT}v6" stroke="currentColor"/>'
            f'<text x="{x:.1f}" y="{_PLOT_HEIGHT + 22}" text-anchor="middle">{tenth / 10:.1f}</text>'
        )
    at = _x(scores.suggested, low)
    parts.append(
        f'<path d="M{at:.1f} -20V{_PLOT_HEIGHT}" stroke="#d55e00" stroke-width="2" stroke-dasharray="6 4"/>'
        f'<text x="{at + 6:.1f}" y="-8">suggested {scores.suggested:.2f}</text>'
    )
    for number, ((name, _), colour) in enumerate(curves):
        x = 4 + 200 * number
        parts.append(f'<rect x="{x}" y="-43" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="-32">{escape(name)}</text>')
    return "".join([*parts, "</svg>"])


def _outline(values: Vectors, low: float) -> str:
    counts, edges = np.histogram(values.clip(low, 1), bins=round((1 - low) / _BIN), range=(low, 1))
    heights = counts / counts.max() * (_PLOT_HEIGHT - 10)
    steps = "".join(
        f"V{_PLOT_HEIGHT - height:.1f}H{_x(right, low):.1f}" for height, right in zip(heights, edges[1:], strict=True)
    )
    return f"M{_x(low, low):.1f} {_PLOT_HEIGHT}{steps}V{_PLOT_HEIGHT}Z"


def _x(score: float, low: float) -> float:
    return 12 + (score - low) / (1 - low) * (_PLOT_WIDTH - 24)

"""The report as one HTML file that needs nothing beside it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

from PIL import Image

from scripts.reporting.contents import Contents, folder_counts, reason_counts
from scripts.reporting.pictures import draw_scores
from scripts.reporting.projection import Cell, Plane
from scripts.reporting.report import Report
from scripts.reporting.scores import CHANCE, Scores

GROUPS, GROUP_IMAGES = 30, 8
"""How many groups of near-duplicates are shown, and how many images of each."""
_FOLDERS, _FAILURES = 30, 100

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What is in the index</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; }
td, th { padding: .15rem 1.2rem .15rem 0; text-align: right; font-weight: normal; font-variant-numeric: tabular-nums; }
td:first-child, th:first-child { text-align: left; overflow-wrap: anywhere; }
th { border-bottom: 1px solid; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 13px; }
.wide { max-width: 100%; height: auto; background: white; }
.scroll { overflow-x: auto; }
.map { display: grid; gap: 2px; min-width: 60rem; }
.map img, .map span { width: 100%; aspect-ratio: 1; object-fit: contain; background: white; }
.map span, .group span { background: #8884; }
.group { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 1rem; }
.group figure { margin: 0; width: 8rem; } .group img, .group span { display: block; height: 96px; }
.group span { width: 96px; }
figcaption { font-size: 12px; overflow-wrap: anywhere; }
</style>
<h1>What is in the index</h1>
"""

Pictures = Mapping[str, Image.Image]
"""Thumbnails by key; empty without a gallery."""


def index_page(
    report: Report, drawn_map: Image.Image | None, grid: Sequence[Sequence[Cell]], pictures: Pictures
) -> str:
    """All sections, in the order of questions: what is there, what is missing, how it looks, what is double.

    Args:
        report: of the index.
        drawn_map: a dot for each image; None for an empty index.
        grid: what stands for which part of the map.
        pictures: for the grid and for the near-duplicates.
    """
    return "".join(
        [
            _HEAD,
            _about(report.contents),
            _failures(report.contents),
            _map(report, report.plane, drawn_map, grid, pictures) if report.plane and drawn_map else "",
            _scores(report, report.scores) if report.scores else "",
            _duplicates(report, pictures),
            "</html>\n",
        ]
    )


def shown_duplicates(report: Report) -> list[list[tuple[str, float]]]:
    """The groups of near-duplicates on the page: keys and cosines."""
    keys = report.contents.keys
    return [[(keys[row], score) for row, score in group[:GROUP_IMAGES]] for group in report.duplicates.groups[:GROUPS]]


def _about(contents: Contents) -> str:
    manifest = contents.manifest
    folders = folder_counts(contents.keys)
    rows = [(folder, f"{count:,}") for folder, count in list(folders.items())[:_FOLDERS]]
    if len(folders) > _FOLDERS:
        rest = list(folders.values())[_FOLDERS:]
        rows.append((f"{len(rest):,} more folders", f"{sum(rest):,}"))
    held = ", held after a rollback" if manifest.held else ""
    return (
        f"<p>{manifest.count:,} images and {manifest.failed:,} failures; generation "
        f"<code>{manifest.generation}</code> of {escape(manifest.built_at)}{held}; "
        f"{contents.size / 1e6:.1f} MB with the model <code>{manifest.model.sha256[:12]}</code>, which answers "
        f"vectors of dimension {manifest.dimension}, stored as {escape(manifest.dtype)}.</p>\n"
        f"{_table(('folder', 'images'), rows)}"
    )


def _failures(contents: Contents) -> str:
    if not contents.failures:
        return ""
    reasons = [(reason, f"{count:,}") for reason, count in reason_counts(contents.failures).items()]
    keys = "".join(
        f"<li><code>{escape(key)}</code>: {escape(failure.reason)}</li>\n"
        for key, failure in list(contents.failures.items())[:_FAILURES]
    )
    more = len(contents.failures) - _FAILURES
    rest = f"<p>And {more:,} more; --json lists all.</p>" if more > 0 else ""
    return (
        f"<h2>Not indexed</h2>\n{_table(('reason', 'objects'), reasons[:_FAILURES])}"
        f"<details><summary>Which</summary>\n<ul>\n{keys}</ul>{rest}</details>\n"
    )


def _map(report: Report, plane: Plane, drawn: Image.Image, grid: Sequence[Sequence[Cell]], pictures: Pictures) -> str:
    keys = report.contents.keys
    text = (
        f"<h2>Map</h2>\n<p>Similar images lie near one another: the two directions in which the vectors differ most, "
        f"{plane.variance:.0%} of all difference.</p>\n"
    )
    if pictures:
        cells = "".join(
            _picture(keys[cell.row], pictures, f"{keys[cell.row]}, for {cell.count:,} images")
            for line in grid
            for cell in line
        )
        text += (
            "<p>Each picture stands for as many images as any other, and is the one nearest to their mean.</p>\n"
            f'<div class="scroll"><div class="map" style="grid-template-columns:repeat({len(grid[0])},1fr)">'
            f"{cells}</div></div>\n<h3>All images</h3>\n"
        )
    return text + f'<img class="wide" alt="A dot for each image, coloured by folder" src="{_data(drawn, "PNG")}">\n'


def _scores(report: Report, scores: Scores) -> str:
    rows = [
        (
            f"{effect.min_score:.2f}" + (" (suggested)" if effect.min_score == scores.suggested else ""),
            f"{effect.pairs:.1%}",
            f"{effect.answered:.1%}",
            f"{effect.results:.1f}",
        )
        for effect in report.effects()
    ]
    head = ("min_score", "random pairs that reach it", "searches that find something", "results left of the best 16")
    return (
        f"<h2>Scores</h2>\n<p>{len(scores.best):,} of the gallery's images searched among the others, and "
        f"{len(scores.pairs):,} random pairs.</p>\n{draw_scores(scores)}\n{_table(head, rows)}"
        f"<p>The suggestion is the score that {CHANCE:.0%} of random pairs stay below. It is a place to start from: "
        "a visitor's photo is less similar to the gallery than the gallery is to itself, and a photo without a garment "
        "may still reach it. Try some of your visitors' photos with scripts/query.py before you set it higher.</p>\n"
    )


def _duplicates(report: Report, pictures: Pictures) -> str:
    found = report.duplicates
    text = (
        f"<h2>Near-duplicates</h2>\n<p>{found.pairs:,} pairs with a cosine from {report.limit:g}, in "
        f"{len(found.groups):,} groups; {found.surplus:,} images would go if each group kept one. "
        "<code>dedupe</code> leaves them out of an answer. The closest come first; look before you delete: what is one "
        "garment to the model may be two.</p>\n"
    )
    for group, whole in zip(shown_duplicates(report), found.groups, strict=False):
        figures = "".join(
            f"<figure>{_picture(key, pictures, key) if pictures else ''}<figcaption>{escape(key)}"
            f"{f'<br>{score:.3f}' if number else ''}</figcaption></figure>"
            for number, (key, score) in enumerate(group)
        )
        more = f"<figure>and {len(whole) - len(group):,} more</figure>" if len(whole) > len(group) else ""
        text += f'<div class="group">{figures}{more}</div>\n'
    if len(found.groups) > GROUPS:
        text += f"<p>And {len(found.groups) - GROUPS:,} more groups; --json lists all.</p>\n"
    return text


def _picture(key: str, pictures: Pictures, title: str) -> str:
    if key not in pictures:
        return f'<span title="{escape(title)}"></span>'
    return f'<img alt="{escape(key)}" title="{escape(title)}" src="{_data(pictures[key], "JPEG")}">'


def _data(image: Image.Image, kind: str) -> str:
    file = BytesIO()
    image.save(file, kind, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<tr>{titles}</tr>\n{lines}</table>\n"

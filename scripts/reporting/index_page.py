"""The report on an index as one HTML file, with all pictures inside it."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

from PIL import Image

from scripts.reporting.charts import draw_scores
from scripts.reporting.index_contents import Contents, folder_counts, reason_counts
from scripts.reporting.index_figures import Report
from scripts.reporting.index_products import ProductFigures
from scripts.reporting.projection import Cell, Plane
from scripts.reporting.score_distribution import CHANCE, Scores

GROUPS, GROUP_IMAGES = 30, 8
"""How many groups of near-duplicates the page shows, and how many images of each."""
_FOLDERS, _REFUSALS = 30, 100

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
"""Thumbnails by key; empty if no gallery was given."""


def index_page(
    report: Report, drawn_map: Image.Image | None, grid: Sequence[Sequence[Cell]], pictures: Pictures
) -> str:
    """Return the page: what the index holds, what it lacks, how the gallery looks, what it holds twice.

    Args:
        report: what is known about the index.
        drawn_map: a dot for each image; None for an empty index.
        grid: the cells of the map, row by row.
        pictures: thumbnails for the grid and for the near-duplicates.
    """
    return "".join(
        [
            _HEAD,
            _about(report.contents),
            _refusals(report.contents),
            _products(report.contents.products) if report.contents.products else "",
            _map(report, report.plane, drawn_map, grid, pictures) if report.plane and drawn_map else "",
            _scores(report, report.scores) if report.scores else "",
            _duplicates(report, pictures),
            "</html>\n",
        ]
    )


def shown_duplicates(report: Report) -> list[list[tuple[str, float]]]:
    """Return the groups of near-duplicates that the page shows, as keys and cosines."""
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
        f"<p>{manifest.count:,} images, and {manifest.failed:,} that could not be indexed. Generation "
        f"<code>{manifest.generation}</code>, built {escape(manifest.built_at)}{held}. "
        f"{contents.size / 1e6:.1f} MB with the model <code>{manifest.model.sha256[:12]}</code>; its vectors have "
        f"dimension {manifest.dimension} and are stored as {escape(manifest.dtype)}.</p>\n"
        f"{_table(('folder', 'images'), rows)}"
    )


def _refusals(contents: Contents) -> str:
    if not contents.refusals:
        return ""
    reasons = [(reason, f"{count:,}") for reason, count in reason_counts(contents.refusals).items()]
    keys = "".join(
        f"<li><code>{escape(key)}</code>: {escape(refusal.reason)}</li>\n"
        for key, refusal in list(contents.refusals.items())[:_REFUSALS]
    )
    more = len(contents.refusals) - _REFUSALS
    rest = f"<p>And {more:,} more; <code>--json</code> lists all.</p>" if more > 0 else ""
    return (
        f"<h2>Not indexed</h2>\n{_table(('reason', 'objects'), reasons[:_REFUSALS])}"
        f"<details><summary>Show keys</summary>\n<ul>\n{keys}</ul>{rest}</details>\n"
    )


def _products(products: ProductFigures) -> str:
    rows = [(name, f"{count:,}", f"{count / max(products.count, 1):.0%}") for name, count in products.filled.items()]
    rows += [(name, "0", "0%") for name in products.feed.empty_columns]
    reasons = [(reason, f"{count:,}") for reason, count in products.reasons().items()]
    refused = products.feed.refusals
    lines = "".join(
        f"<li>line {each.line}, <code>{escape(each.id)}</code>: {escape(each.reason)}</li>\n"
        for each in refused[:_REFUSALS]
    )
    details = f"<details><summary>Show rows</summary>\n<ul>\n{lines}</ul></details>\n" if refused else ""
    return (
        f"<h2>Products</h2>\n<p>{escape(products.summary())}.</p>\n"
        f"{_table(('column', 'products with a value', 'share'), rows)}"
        f"{_table(('reason', 'rows'), reasons) if reasons else ''}{details}"
    )


def _map(report: Report, plane: Plane, drawn: Image.Image, grid: Sequence[Sequence[Cell]], pictures: Pictures) -> str:
    keys = report.contents.keys
    text = (
        "<h2>Map</h2>\n<p>Similar images lie near one another. The axes are the two directions in which the vectors "
        f"differ most; they hold {plane.variance:.0%} of the variance.</p>\n"
    )
    if pictures:
        cells = "".join(
            _picture(keys[cell.row], pictures, f"{keys[cell.row]}, one of {cell.count:,} images")
            for line in grid
            for cell in line
        )
        text += (
            "<p>Each picture stands for equally many images: it is the one nearest to their mean.</p>\n"
            f'<div class="scroll"><div class="map" style="grid-template-columns:repeat({len(grid[0])},1fr)">'
            f"{cells}</div></div>\n<h3>All images</h3>\n"
        )
    return text + f'<img class="wide" alt="One dot per image, coloured by folder" src="{_data_url(drawn, "PNG")}">\n'


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
    head = ("min_score", "random pairs that reach it", "searches that find something", "results kept of the best 16")
    return (
        f"<h2>Scores</h2>\n<p>Scores of {len(scores.best):,} images of the gallery, each searched for among the "
        f"others, and of {len(scores.pairs):,} random pairs.</p>\n{draw_scores(scores)}\n{_table(head, rows)}"
        f"<p>The suggested score is the one that {CHANCE:.0%} of random pairs stay below. Take it as a starting point: "
        "a visitor's photo is less similar to the gallery than the gallery is to itself, and a photo without a garment "
        "may still reach it. Before you set it higher, try photos like your visitors' with scripts/query.py.</p>\n"
    )


def _duplicates(report: Report, pictures: Pictures) -> str:
    found = report.duplicates
    text = (
        f"<h2>Near-duplicates</h2>\n<p>{found.pairs:,} pairs with a cosine of at least {report.limit:g}, in "
        f"{len(found.groups):,} groups; {found.surplus:,} images could go if each group kept one. "
        "<code>dedupe</code> leaves them out of an answer. The closest groups come first. Look before you delete: two "
        "garments can look like one to the model.</p>\n"
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
        text += f"<p>And {len(found.groups) - GROUPS:,} more groups; <code>--json</code> lists all.</p>\n"
    return text


def _picture(key: str, pictures: Pictures, title: str) -> str:
    if key not in pictures:
        return f'<span title="{escape(title)}"></span>'
    return f'<img alt="{escape(key)}" title="{escape(title)}" src="{_data_url(pictures[key], "JPEG")}">'


def _data_url(image: Image.Image, file_format: str) -> str:
    file = BytesIO()
    image.save(file, file_format, optimize=True)
    return f"data:image/{file_format.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<tr>{titles}</tr>\n{lines}</table>\n"

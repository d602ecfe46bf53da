"""Show what is in an index: counts, photos that could not be indexed, a map, scores, near-duplicates.

    python scripts/index_report.py --index s3://shop-index
    python scripts/index_report.py --index index/ --gallery photos/ --out reports/monday
    python scripts/index_report.py --index index/ --json

Writes report.html, a page with everything inside it, and map.png to the folder --out. With --gallery the page shows
pictures. Its section "Scores" helps you choose a `min_score`.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from embeddings.errors import StorageError
from embeddings.storage.reader import open_reader
from scripts.cli.argument_types import number
from scripts.cli.command import command_parser, run_command
from scripts.reporting.charts import draw_map
from scripts.reporting.index_contents import read_contents
from scripts.reporting.index_figures import Report, make_report
from scripts.reporting.index_page import index_page, shown_duplicates
from scripts.reporting.projection import Cell, on_grid
from scripts.reporting.thumbnails import fetch_thumbnails

_SIDE = 96


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    return run_command(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--index", metavar="URI", required=True, help="s3://bucket/prefix, gs://bucket/prefix or a folder"
    )
    parser.add_argument("--gallery", metavar="URI", help="the photos, to show pictures in the page")
    parser.add_argument(
        "--out", type=Path, default=Path("index-report"), metavar="FOLDER", help="where to write (default: %(default)s)"
    )
    parser.add_argument(
        "--duplicates",
        type=_cosine,
        default=0.98,
        metavar="COSINE",
        help="least cosine of two images that are nearly the same (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser


def _run(options: argparse.Namespace) -> None:
    report = make_report(read_contents(open_reader(options.index)), options.duplicates)
    drawn: Image.Image | None = None
    grid: list[list[Cell]] = []
    if report.plane is not None:
        drawn = draw_map(report.plane, report.contents.keys)
        grid = on_grid(report.contents.vectors, report.plane)
    pictures = _pictures(report, grid, options.gallery) if options.gallery else {}
    options.out.mkdir(parents=True, exist_ok=True)
    if drawn is not None:
        drawn.save(options.out / "map.png")
    page = options.out / "report.html"
    page.write_text(index_page(report, drawn, grid, pictures), encoding="utf-8")
    print(json.dumps(report.as_record()) if options.json else f"{report.summary()}\n\nreport: {page}")


def _pictures(report: Report, grid: list[list[Cell]], gallery: str) -> dict[str, Image.Image]:
    keys = [report.contents.keys[cell.row] for line in grid for cell in line]
    keys += [key for group in shown_duplicates(report) for key, _ in group]
    photos = fetch_thumbnails(open_reader(gallery), keys, _SIDE)
    if photos.reasons and not photos.pictures:
        raise StorageError(f"no photo of the gallery could be read: {photos.complaint()}")
    if photos.reasons:
        print(photos.complaint(), file=sys.stderr)
    return photos.pictures


def _cosine(text: str) -> float:
    value = number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and up to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())

"""Search an index by a photo or by an image of its gallery, without a service.

    python scripts/query.py photo.jpg --index s3://shop-index
    python scripts/query.py photo.jpg --index s3://shop-index --gallery s3://shop-photos --sheet found.png
    python scripts/query.py photo.jpg --index index/ --box 0.2,0.1,0.5,0.6 --prefix shirts --dedupe 0.98
    python scripts/query.py --key shirts/blue-01.jpg --index index/ --k 5
    python scripts/query.py --random --index index/ --json
    python scripts/query.py --words "red checked shirt" --index index/
    python scripts/query.py photo.jpg --words "in blue, without stripes" --index index/
    python scripts/query.py photo.jpg --index index/ --where brand:Nordhem --where price:..50 --group

Prints the rank, score (cosine) and key of each result, and the title and price of its product. With --gallery it also
draws a contact sheet of the query and its results.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from embeddings.errors import ModelError, PhotoError, StorageError
from embeddings.index.generation import Generation, load_generation
from embeddings.neighbours import Found
from embeddings.preprocess import WHOLE_PHOTO, Box, checked_box
from embeddings.products.where import Condition, parse_where
from embeddings.storage.reader import Reader, open_reader
from embeddings.words.asked import understand
from embeddings.words.naming import look_up
from scripts.cli.argument_types import number, positive
from scripts.cli.command import command_parser, run_command
from scripts.cli.native_stderr import native_stderr_dropped
from scripts.reporting.contact_sheet import SIDE, Row, Shown, draw_sheet
from scripts.reporting.product_caption import caption, products_of
from scripts.reporting.thumbnails import fetch_thumbnails, thumbnail

DEFAULT_SHEET = Path("neighbours.png")


class Query(NamedTuple):
    """A photo, or an image of the gallery, to search by."""

    name: str
    """The photo's path, the image's key, or the words."""
    photo: bytes | None
    """The file's content; None for an image of the gallery, and for words alone."""
    vector: NDArray[np.float32]
    key: str = ""
    """The image of the gallery, which is left out of its own results."""
    where: Sequence[Condition] = ()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    given = bool(options.photos) + bool(options.key) + options.random
    if given > 1 or not (given or options.words):
        parser.error("give photos, or --key, or --random, or --words")
    if options.box != WHOLE_PHOTO and not options.photos:
        parser.error("--box needs a photo")
    if options.sheet and not options.gallery:
        parser.error("--sheet needs --gallery, where the photos are")
    return run_command(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="JPEG, PNG or WebP files")
    parser.add_argument(
        "--key", help="search by an image of the gallery instead of a photo; the image itself is left out"
    )
    parser.add_argument(
        "--random", action="store_true", help="search by a random image of the gallery instead of a photo"
    )
    parser.add_argument(
        "--words", default="", metavar="TEXT", help="search in words, or change by words what is searched by"
    )
    parser.add_argument(
        "--index", metavar="URI", required=True, help="s3://bucket/prefix, gs://bucket/prefix or a folder"
    )
    parser.add_argument("--k", type=positive, default=16, help="number of results (default: %(default)s)")
    parser.add_argument("--prefix", default="", metavar="FOLDER", help="search in this folder of the gallery only")
    parser.add_argument(
        "--box",
        type=_box,
        default=WHOLE_PHOTO,
        metavar="X,Y,W,H",
        help="the part of the photo to search for, as fractions of its width and height from the top left",
    )
    parser.add_argument("--min-score", type=_cosine, metavar="S", help="leave out results with a lower score (-1 to 1)")
    parser.add_argument(
        "--dedupe",
        type=partial(_cosine, least=0),
        metavar="D",
        help="leave out results whose cosine with a better result is at least this (0 to 1)",
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="search only products that meet this condition, such as brand:Nordhem,Alba, price:10..50 or "
        "-availability:out_of_stock; may be repeated",
    )
    parser.add_argument("--group", action="store_true", help="show each product once, by its best photo")
    parser.add_argument("--gallery", metavar="URI", help="the gallery's photos, to draw a contact sheet")
    parser.add_argument(
        "--sheet",
        type=_sheet,
        metavar="FILE",
        help=f"file of the contact sheet, .png or .jpg (default: {DEFAULT_SHEET})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _run(options: argparse.Namespace) -> None:
    photos = {str(path): path.read_bytes() for path in options.photos}  # a wrong path fails before the index is fetched
    with native_stderr_dropped():
        generation = load_generation(open_reader(options.index))
    queries = _queries(generation, photos, options)
    answers = [_search(generation, query, options) for query in queries]
    print(_as_json(queries, answers, generation) if options.json else _as_table(queries, answers, generation))
    if options.gallery:
        sheet = options.sheet or DEFAULT_SHEET
        _draw(queries, answers, options.box, open_reader(options.gallery), sheet)
        if not options.json:
            print(f"\ncontact sheet: {sheet}")


def _queries(generation: Generation, photos: dict[str, bytes], options: argparse.Namespace) -> list[Query]:
    where = parse_where(options.where, generation.gallery.columns)
    if not photos and not options.key and not options.random:
        return [_with_words(generation, Query(options.words, None, np.empty(0, np.float32), where=where), options)]
    if not photos:
        key = options.key or generation.gallery.random_key(options.prefix, where)
        query = Query(key, None, generation.gallery.vector(key), key, where)
        return [_with_words(generation, query, options)]
    queries = []
    for name, photo in tqdm(photos.items(), desc="queries", unit="photo", disable=None, leave=False):
        try:
            vector = generation.embedder.embed([photo], box=options.box)[0]
        except PhotoError as error:
            raise PhotoError(f"{name}: {error}") from error
        queries.append(_with_words(generation, Query(name, photo, vector, where=where), options))
    return queries


def _with_words(generation: Generation, query: Query, options: argparse.Namespace) -> Query:
    """Search by words alone, or by what they make of a photo; say which of them mean nothing."""
    if not options.words:
        return query
    sight = generation.embedder.sight
    if sight is None:
        raise ModelError("the model of this index does not tell what it sees, so it cannot be asked in words")
    asked = understand(options.words, sight)
    named = look_up(asked, generation.gallery)
    if named.unknown:
        print(f"these words mean nothing here: {', '.join(named.unknown)}", file=sys.stderr)
    vector = asked.vector(sight, query.vector if len(query.vector) else None)
    return query._replace(vector=vector, where=[*query.where, *named.conditions])


def _search(generation: Generation, query: Query, options: argparse.Namespace) -> Found:
    if not query.vector.any() and not query.where:
        return Found()
    return generation.gallery.search(
        query.vector,
        k=options.k,
        prefix=options.prefix,
        min_score=options.min_score,
        dedupe=options.dedupe,
        exclude=(query.key,) if query.key else (),
        where=query.where,
        group=options.group,
        fields=None,
    )


def _as_table(queries: list[Query], answers: list[Found], generation: Generation) -> str:
    manifest = generation.manifest
    lines = [f"{manifest.count:,} images, generation {manifest.generation}, built {manifest.built_at}"]
    for query, found in zip(queries, answers, strict=True):
        lines += ["", f"similar to {query.name}:"]
        width = max((len(key) for key, _ in found), default=0)
        for rank, ((key, score), product) in enumerate(zip(found, products_of(found), strict=True), 1):
            lines.append(f"{rank:>4}  {score:9.6f}  {key:{width}}  {caption(product)}".rstrip())
        if not found:
            lines.append("  no results; try a lower --min-score or another --prefix, or fewer conditions")
    return "\n".join(lines)


def _as_json(queries: list[Query], answers: list[Found], generation: Generation) -> str:
    """Return the answers in the shape of the HTTP service's, without URLs."""
    manifest = generation.manifest
    about = {
        "generation": manifest.generation,
        "count": manifest.count,
        "built_at": manifest.built_at,
        "model": manifest.model.sha256,
    }
    found = [{"query": query.name, "results": _results(answer)} for query, answer in zip(queries, answers, strict=True)]
    return json.dumps({"answers": found, "index": about})


def _results(found: Found) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = [neighbour._asdict() for neighbour in found]
    for result, seen in zip(results, found.seen, strict=False):
        if seen is not None:
            result["seen"] = seen
    for result, product in zip(results, products_of(found), strict=True):
        if product is not None:
            result["product"] = product
    for result, others in zip(results, found.others, strict=False):
        result["others"] = others
    return results


def _draw(queries: list[Query], answers: list[Found], box: Box, gallery: Reader, file: Path) -> None:
    """Write the contact sheet; photos that cannot be read are grey in it and reported."""
    wanted = [query.key for query in queries if query.key]
    wanted += [neighbour.key for answer in answers for neighbour in answer]
    photos = fetch_thumbnails(gallery, wanted, SIDE)
    if photos.reasons and not photos.pictures:
        raise StorageError(f"no contact sheet: {photos.complaint()}")
    rows = []
    for query, answer in zip(queries, answers, strict=True):
        picture: Image.Image | None
        picture = photos.pictures.get(query.key) if query.photo is None else thumbnail(query.photo, SIDE)
        shown = [
            Shown(each, photos.pictures.get(each.key), caption(product))
            for each, product in zip(answer, products_of(answer), strict=True)
        ]
        rows.append(Row(query.name, picture, box, shown))
    draw_sheet(rows).save(file)
    if photos.reasons:
        print(photos.complaint(), file=sys.stderr)


def _cosine(text: str, least: float = -1) -> float:
    value = number(text)
    if not least <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least:g} to 1")
    return value


def _box(text: str) -> Box:
    try:
        return checked_box([number(part) for part in text.split(",")])
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not x,y,w,h in fractions of the photo, such as 0.2,0.1,0.5,0.6"
        ) from error


def _sheet(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .png or .jpg")
    return path


if __name__ == "__main__":
    sys.exit(main())

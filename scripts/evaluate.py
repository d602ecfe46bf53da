"""Measure model files and baselines on photos that training has not seen.

    python scripts/evaluate.py --data photos --model embeddings/pretrained/garment.tflite --out runs/first/test
    python scripts/evaluate.py --data photos --model m.tflite --baselines imagenet --part validation --out figures
    python scripts/evaluate.py --data my-photos --model m.tflite --part all --out figures
    python scripts/evaluate.py --data photos --model m.tflite --words --out figures

The folder of --data holds labels.csv, DeepFashion (Consumer-to-Shop or In-Shop), a folder per class, or just photos.
Its labels decide which tasks are measured. The command prints a table with 95 % bootstrap intervals. Into the folder
of --out it writes figures.json, contact sheets (PNG, and sheets.html with all of them), and failures-MODEL.csv, which
lists the queries with wrong results. With --words it measures instead what the models tell of photos: precision and
recall of what they take for sure, searches in words, and "the same in blue"; it writes words.json.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tqdm import tqdm

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.model_card import read_card, saw_everything
from embeddings.preprocess import photo_pixels
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import PARTS, DatasetError, Split
from embeddings.training.evaluation.baselines import OffTheShelf, colour_histogram
from embeddings.training.evaluation.evaluation import Answers, Embed, Evaluation, as_record, as_table
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.evaluation.validation import encoded_photos
from scripts.cli.command import command_parser, run_command
from scripts.reporting.evaluation_page import CHOICES, Page, choose, draw_sheet
from scripts.reporting.mistakes import write_failures


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.phone_photos < 0:
        parser.error("--phone-photos must be 0 or more")
    if not options.model and not options.baselines:
        parser.error("nothing to measure; give --model, --baselines or both")
    if options.words and not options.model:
        parser.error("--words needs --model")
    return run_command(lambda: _evaluate_words(options) if options.words else _evaluate(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="the photos, in one of the layouts above"
    )
    parser.add_argument(
        "--model", type=Path, action="append", default=[], metavar="FILE", help=".tflite file to measure; repeatable"
    )
    parser.add_argument(
        "--baselines", metavar="WEIGHTS", help="measure the baselines too, with this weights file or 'imagenet'"
    )
    parser.add_argument(
        "--part",
        choices=(*PARTS[1:], "all"),
        default="test",
        help="'all' takes every photo, for data that no model was trained on (default: %(default)s)",
    )
    parser.add_argument(
        "--split-seed", type=int, default=Split.seed, help="the one used in training (default: %(default)s)"
    )
    parser.add_argument(
        "--phone-photos",
        type=int,
        default=400,
        metavar="N",
        help="how many to simulate for task C (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write the results")
    parser.add_argument(
        "--words", action="store_true", help="measure what the models tell of photos, and searches in words, instead"
    )
    parser.add_argument("--card", action="store_true", help="also write the figures into each model's card")
    return parser


def _evaluate(options: argparse.Namespace) -> None:
    subjects = _subjects(options)
    evaluation = Evaluation(options.data, Split(seed=options.split_seed), options.part, options.phone_photos)
    print(json.dumps(evaluation.about))
    options.out.mkdir(parents=True, exist_ok=True)
    records: dict[str, dict[str, Any]] = {}
    answers: dict[str, list[Answers]] = {}
    for name, embed in subjects.items():
        scores, answers[name] = evaluation.measure(embed(evaluation.files))
        records[name] = as_record(scores)
        write_failures(options.out / f"failures-{_slug(name)}.csv", answers[name], evaluation.names)
    table = as_table(records)
    print(table)
    _draw(options.out, evaluation, answers, table)
    flattered = [name for name, path in _named(options.model).items() if saw_everything(_card(path))]
    for name in flattered:
        print(
            f"{name} was trained on all photos of its data set: if these are of it, the figures flatter it",
            file=sys.stderr,
        )
    report = {"about": evaluation.about, "figures": records, **({"flattered": flattered} if flattered else {})}
    (options.out / "figures.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.card:
        figures = {name: {"figures": {**evaluation.about, **record}} for name, record in records.items()}
        _write_cards(_named(options.model), figures)


def _evaluate_words(options: argparse.Namespace) -> None:
    from embeddings.training.evaluation.words import measure_words, words_table  # nothing else here needs it
    from embeddings.training.sight import described

    photos = [photo for photo in read_photos(options.data, Split(seed=options.split_seed)) if not photo.training_only]
    own = [photo for photo in photos if photo.domain == "shop" and options.part in (photo.part, "all")]
    if not own:
        raise DatasetError(f"the {options.part} part has no shop photos")
    encoded = encoded_photos(options.data, own)
    options.out.mkdir(parents=True, exist_ok=True)
    records: dict[str, dict[str, Any]] = {}
    for name, path in _named(options.model).items():
        embedder = Embedder(path)
        if embedder.sight is None:
            raise ModelError(f"{path} does not tell what it sees; convert it with scripts/convert.py")
        pixels = np.stack([photo_pixels(photo) for photo in tqdm(encoded, desc=name, disable=None, leave=False)])
        records[name] = measure_words(embedder.sight, own, described(embedder, pixels))
        print(f"{name}, {options.part} part\n{words_table(records[name])}")
    report = {"part": options.part, "split": Split(seed=options.split_seed).as_dict(), "figures": records}
    (options.out / "words.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.card:
        _write_cards(_named(options.model), {name: {"words": record} for name, record in records.items()})


def _subjects(options: argparse.Namespace) -> dict[str, Embed]:
    """Return what to measure, by name."""
    subjects: dict[str, Embed] = {}
    for name, path in _named(options.model).items():
        subjects[name] = _with_progress(Embedder(path), name)
    if options.baselines:
        subjects |= {"off the shelf": OffTheShelf(options.baselines).embed, "colour histogram": colour_histogram}
    return subjects


def _named(models: Sequence[Path]) -> dict[str, Path]:
    """Name each file by its stem, or by its path if two share a stem; a file given twice counts once."""
    stems = [path.stem for path in dict.fromkeys(models)]
    return {
        path.stem if stems.count(path.stem) == 1 else path.with_suffix("").as_posix(): path
        for path in dict.fromkeys(models)
    }


def _draw(out: Path, evaluation: Evaluation, answers: dict[str, list[Answers]], table: str) -> None:
    page = Page(table)
    for name, of_model in answers.items():
        for answer in of_model:
            for choice in CHOICES:
                sheet = f"{_slug(name)}-{_slug(answer.search.name)}-{choice}.png"
                chosen = choose(answer, choice)
                draw_sheet(answer, chosen, evaluation.files, out / sheet)
                page.add(name, answer, choice, chosen, evaluation.names, sheet)
    page.write(out / "sheets.html")


def _write_cards(models: dict[str, Path], measured: dict[str, dict[str, Any]]) -> None:
    """Put what was measured of each model into its card."""
    from embeddings.training.export import write_card  # imports Keras, which nothing else here needs

    for name, path in models.items():
        card = _card(path)
        if card is None:
            raise ModelError(f"{path} has no card to write the figures into; leave out --card")
        write_card(path, card | measured[name])


def _card(model: Path) -> dict[str, Any] | None:
    return read_card(model, model.read_bytes())


def _slug(name: str) -> str:
    """Turn a name into one that a file may have."""
    return re.sub(r"[^\w.-]+", "-", name)


def _with_progress(embedder: Embedder, name: str) -> Embed:
    def embed(photos: Sequence[bytes]) -> Vectors:
        bar = tqdm(photos, desc=name, unit="photo", disable=None, leave=False)
        return np.concatenate([embedder.embed([photo]) for photo in bar])

    return embed


if __name__ == "__main__":
    sys.exit(main())

"""Measure a model file, beside what it has to beat, on photos that training did not see.

    python scripts/evaluate.py --data photos --model embeddings/pretrained/garment.tflite --out runs/first/test
    python scripts/evaluate.py --data photos --model m.tflite --baselines imagenet --part validation --out figures

Prints one table with 95 % bootstrap intervals; writes figures.json and contact sheets (PNG) to the folder.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tqdm import tqdm

from embeddings.embedder import Embedder
from embeddings.errors import GarmentSearchError, ModelError
from embeddings.model_card import read_card
from embeddings.training.baselines import OffTheShelf, colour_histogram
from embeddings.training.datasets import Split
from embeddings.training.evaluate import Embed, Evaluation, as_record, as_table
from embeddings.training.export import write_card
from embeddings.training.sheets import CHOICES, draw_sheet
from embeddings.training.tasks import Vectors


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _evaluate(options)
    except GarmentSearchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="labels.csv and the photos it names")
    parser.add_argument("--model", type=Path, action="append", default=[], metavar="FILE", help=".tflite; repeatable")
    parser.add_argument("--baselines", metavar="WEIGHTS", help="measure these too: a weights file, or 'imagenet'")
    parser.add_argument("--part", choices=("validation", "test"), default="test", help="default: %(default)s")
    parser.add_argument("--split-seed", type=int, default=Split.seed, help="as in training (default: %(default)s)")
    parser.add_argument("--phone-photos", type=int, default=400, metavar="N", help="of task C (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for figures.json and the sheets")
    parser.add_argument("--card", action="store_true", help="write the figures into each model's card too")
    return parser


def _evaluate(options: argparse.Namespace) -> None:
    subjects: dict[str, Embed] = {str(path.stem): _with_progress(Embedder(path), path.stem) for path in options.model}
    if options.baselines:
        subjects |= {"off the shelf": OffTheShelf(options.baselines).embed, "colour histogram": colour_histogram}
    if not subjects:
        raise ModelError("nothing to measure; give --model, --baselines or both")
    evaluation = Evaluation(options.data, Split(seed=options.split_seed), options.part, options.phone_photos)
    print(json.dumps(evaluation.about))
    options.out.mkdir(parents=True, exist_ok=True)
    records = {}
    for name, embed in subjects.items():
        scores, answers = evaluation.measure(embed)
        records[name] = as_record(scores)
        for answer in answers:
            for choice in CHOICES:
                draw_sheet(answer, choice, options.out / f"{name.replace(' ', '-')}-{answer.task}-{choice}.png")
    print(as_table(records))
    report = json.dumps({"about": evaluation.about, "figures": records}, indent=2)
    (options.out / "figures.json").write_text(report + "\n", encoding="utf-8")
    for path in options.model if options.card else ():
        card = read_card(path, path.read_bytes())
        if card is None:
            raise ModelError(f"{path} has no card to write the figures into")
        write_card(path, card | {"figures": {**evaluation.about, **records[path.stem]}})


def _with_progress(embedder: Embedder, name: str) -> Embed:
    def embed(photos: Sequence[bytes]) -> Vectors:
        bar = tqdm(photos, desc=name, unit="photo", disable=None, leave=False)
        return np.concatenate([embedder.embed([photo]) for photo in bar])

    return embed


if __name__ == "__main__":
    sys.exit(main())

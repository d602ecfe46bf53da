"""Convert a training run's best model to TFLite, and compare its neighbours with those of Keras.

    python scripts/convert.py --run runs/first --data photos --out embeddings/pretrained/garment.tflite

With several --run, trained with other seeds or losses, the command joins them to one model that is right more often
than each. It stores and computes the frozen layers that they share once, and uses each run for what it was trained for.

The command writes a card (.json) beside the file. It writes no file whose neighbours differ from those of Keras.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.errors import ModelError
from embeddings.preprocess import photo_pixels
from embeddings.training.config import FILE_FORMATS
from embeddings.training.data.datasets import read_photos, select
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.evaluation.validation import encoded_photos
from scripts.cli.command import command_parser, run_command

_EXAMPLES, _COMPARED = 300, 1000


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if len(options.run) > 1 and not options.attributes:
        parser.error("several runs are joined by what their heads say; add --attributes")
    return run_command(lambda: _convert(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--run",
        type=Path,
        required=True,
        action="append",
        metavar="FOLDER",
        help="folder of a run of scripts/train.py; repeatable",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the photos the run was trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .tflite file to write")
    parser.add_argument(
        "--format", choices=FILE_FORMATS, default="fp16", help="the numbers in the file (default: %(default)s)"
    )
    parser.add_argument(
        "--two-views",
        action="store_true",
        help="average the vectors of the photo and its mirrored middle; takes twice the time",
    )
    parser.add_argument(
        "--attributes",
        action="store_true",
        help="put into the vector what the heads say of category, kind and colour, and let the file answer it beside "
        "the vector: for photos with labels",
    )
    parser.add_argument("--compare", action="store_true", help="measure every format")
    parser.add_argument(
        "--note", default="", metavar="TEXT", help="a note for the card: the photos' source and licence"
    )
    return parser


def _convert(options: argparse.Namespace) -> None:
    from embeddings.training.attributes import Trained, answered, answering_attributes, with_attributes
    from embeddings.training.export import check_parity, convert, spread, write_model
    from embeddings.training.model import embed_with, two_views
    from embeddings.training.run_folder import (
        common_split,
        how_made,
        load_embedder,
        load_heads,
        read_classes,
        read_config,
        trained_losses,
    )

    split = common_split(options.run)
    made: dict[str, Any] = {"runs": [how_made(run) for run in options.run]}
    made |= {name: getattr(options, name) for name in ("two_views", "attributes", "note")}
    heads = [load_heads(run) for run in options.run] if options.attributes else []
    models = [load_embedder(run) for run in options.run]
    if options.two_views:
        models = [two_views(model) for model in models]
    photos = read_photos(options.data, split)
    train = select(photos, "shop", "train") + select(photos, "consumer", "train")
    unseen = select(photos, "shop", "validation") + select(photos, "consumer", "validation")
    made["photos"] = {"train": len(train), "validation": len(unseen)}
    model = models[0]
    large = [photo for photo in train if not photo.small]
    attributes: dict[str, tuple[str, ...]] = {}
    if options.attributes:
        trained = _pixels(options.data, large, "trained photos")
        for number, each in enumerate(models):
            each.name = f"run_{number}"  # a model cannot have two layers with one name
        runs = [
            Trained(
                each,
                said,
                embed_with(each, trained),
                items="items" in trained_losses(run),
                separate=bool(read_config(run).get("separate", False)),
            )
            for run, each, said in zip(options.run, models, heads, strict=True)
        ]
        model = with_attributes(runs)
        classes = {head: words for run in options.run for head, words in read_classes(run).items()}
        attributes = {head: classes[head] for head in answered(runs)}
        if attributes:
            model = answering_attributes(model, runs)
    examples = _pixels(options.data, spread(large, _EXAMPLES), "examples")
    pixels = _pixels(options.data, spread(unseen, _COMPARED), "unseen photos")
    expected = embed_with(model, pixels)
    print(f"{'format':8} {'bytes':>10} {'ms':>6} {'top-16 overlap with Keras':>26}")
    for file_format in FILE_FORMATS if options.compare else (options.format,):
        content = convert(model, file_format, examples)
        try:
            parity = check_parity(content, file_format, pixels, expected)
        except ModelError as error:
            if file_format == options.format:
                raise
            print(f"{file_format:8} {error}")
            continue
        print(f"{file_format:8} {parity.size:10,} {parity.milliseconds:6.2f} {parity.overlap:26.4f}")
        if file_format == options.format:
            card = write_model(options.out, content, file_format, parity, made, {}, attributes)
    print(f"written: {options.out}, dimension {card['dimension']}, sha256 {card['sha256']}")


def _pixels(data: Path, photos: Sequence[LabelledPhoto], name: str) -> NDArray[np.uint8]:
    encoded = tqdm(encoded_photos(data, photos), desc=name, unit="photo", disable=None, leave=False)
    return np.stack([photo_pixels(photo) for photo in encoded])


if __name__ == "__main__":
    sys.exit(main())

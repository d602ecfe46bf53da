"""Convert a training run's best model to TFLite, and compare its neighbours with those of Keras.

    python scripts/convert.py --run runs/first --data photos --out embeddings/pretrained/garment.tflite

The file's vector holds what tells items apart, and what the run's heads say of category, kind, colour and words. If
the run had such labels, the file also answers the probabilities of kinds, colours and words beside the vector, and
ends with what they mean: from what probability on the model is sure, measured on the validation part, and where in the
vectors each of them lies, so that photos can be searched in words. A run on all photos has no validation part: give it
the thresholds of another with --thresholds.

The command writes a card (.json) beside the file. It writes no file whose neighbours differ from those of Keras.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.preprocess import photo_pixels
from embeddings.sight import Sight, with_sight
from embeddings.training.config import FILE_FORMATS
from embeddings.training.data.datasets import read_photos, select
from embeddings.training.data.photos import LabelledPhoto, Split
from embeddings.training.evaluation.validation import encoded_photos
from scripts.cli.command import command_parser, run_command

_EXAMPLES, _COMPARED, _LEARNED = 300, 1000, 4000


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    return run_command(lambda: _convert(options))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--run",
        type=Path,
        required=True,
        action="append",
        metavar="FOLDER",
        help="folder of a run of scripts/train.py; several, each begun with another of them, give their mean",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the photos the run was trained on")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .tflite file to write")
    parser.add_argument(
        "--format", choices=FILE_FORMATS, default="fp16", help="the numbers in the file (default: %(default)s)"
    )
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="FILE",
        help="take the probabilities from which on the model is sure from this model file",
    )
    parser.add_argument("--compare", action="store_true", help="measure every format")
    parser.add_argument(
        "--note", default="", metavar="TEXT", help="a note for the card: the photos' source and licence"
    )
    return parser


def _convert(options: argparse.Namespace) -> None:
    from embeddings.training.attributes import answered, with_attributes
    from embeddings.training.export import check_parity, convert, spread, write_model
    from embeddings.training.mean_of_runs import mean_of_runs
    from embeddings.training.model import embed_with
    from embeddings.training.run_folder import how_made, read_config
    from embeddings.training.train import EVERYTHING, training_photos

    *others, last = options.run
    config = read_config(last)
    split = EVERYTHING if config.get("everything") else Split(**config["split"])
    made = how_made(last) | {"mean_with": [how_made(run) for run in others]}
    embedder, heads, classes = mean_of_runs(options.run)
    photos = read_photos(options.data, split)
    train = training_photos(photos)
    unseen = select(photos, "shop", "validation") + select(photos, "consumer", "validation")
    made |= {"note": options.note, "photos": {"train": len(train), "validation": len(unseen)}}
    large = [photo for photo in train if not photo.small]
    trained = _pixels(options.data, large, "trained photos")
    model = with_attributes(embedder, heads, embed_with(embedder, trained))
    named = {head: classes[head] for head in answered(heads)}
    examples = np.stack(spread(list(trained), _EXAMPLES))
    pixels = _pixels(options.data, spread(unseen or large, _COMPARED), "photos to compare")
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
            if named:
                made["thresholds"] = (
                    options.thresholds.name if options.thresholds else "validation" if unseen else "train"
                )
                content = with_sight(content, _sight(options, named, Embedder(content), large, trained, unseen))
            card = write_model(options.out, content, file_format, parity, made, {})
    print(f"written: {options.out}, dimension {card['dimension']}, sha256 {card['sha256']}")


def _sight(
    options: argparse.Namespace,
    heads: Mapping[str, Sequence[str]],
    embedder: Embedder,
    large: Sequence[LabelledPhoto],
    trained: NDArray[np.uint8],
    unseen: Sequence[LabelledPhoto],
) -> Sight:
    from embeddings.training.export import spread
    from embeddings.training.sight import described, make_sight, with_thresholds_of

    learned = described(embedder, np.stack(spread(list(trained), _LEARNED)))
    judged, labels = learned, spread(large, _LEARNED)
    if shop := [photo for photo in unseen if photo.domain == "shop"]:
        judged, labels = described(embedder, _pixels(options.data, shop, "photos to choose thresholds")), shop
    sight = make_sight(heads, learned, judged, labels)
    if options.thresholds:
        return with_thresholds_of(sight, Embedder(options.thresholds))
    if judged is learned:
        print(
            "the thresholds were chosen on photos that the model was trained on, where it is right more often than "
            "elsewhere: give --thresholds",
            file=sys.stderr,
        )
    return sight


def _pixels(data: Path, photos: Sequence[LabelledPhoto], name: str) -> NDArray[np.uint8]:
    encoded = tqdm(encoded_photos(data, photos), desc=name, unit="photo", disable=None, leave=False)
    return np.stack([photo_pixels(photo) for photo in encoded])


if __name__ == "__main__":
    sys.exit(main())

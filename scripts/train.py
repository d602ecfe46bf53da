"""Train the embedding on labelled photos. A run is a folder; repeat the command to resume it.

    python scripts/train.py --data photos --run runs/first --weights imagenet --minutes 60

A long training can begin with small views, which cost less. Another run then goes on with larger ones (--start):

    python scripts/train.py --data photos --run runs/second --weights imagenet --start runs/first --minutes 60

A run ends after --steps or --minutes, whichever comes first. KERAS_BACKEND chooses tensorflow, jax or torch.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from math import isfinite
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from embeddings.training.config import BACKBONES, LOSSES, Augmentation, Config, Mix
from embeddings.training.data.photos import Split
from scripts.cli.command import command_parser, run_command

_AUGMENTATIONS = tuple(field.name for field in fields(Augmentation))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and the photos it names")
    parser.add_argument("--run", type=Path, required=True, help="the run's folder; a checkpoint in it is resumed")
    parser.add_argument("--weights", required=True, help="the backbone's weights, without top: a file, or 'imagenet'")
    parser.add_argument("--steps", type=int, default=4000, help="end after this many steps (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=240, help="or after this many minutes (default %(default)s)")
    parser.add_argument("--start", type=Path, metavar="RUN", help="begin with the best model of another run")
    parser.add_argument(
        "--teacher", type=Path, metavar="FILE", help="a .tflite file; the run learns to match its vectors"
    )
    parser.add_argument(
        "--side",
        type=int,
        default=Config.side,
        help="side of the views in px; the model takes 160 (default %(default)s)",
    )
    parser.add_argument(
        "--bfloat16", action="store_true", help="compute in bfloat16: a third faster on a processor with AVX512-BF16"
    )
    parser.add_argument(
        "--masks",
        type=Path,
        help="folder of masks (.png) that cut out consumer photos; each lies there as its photo lies in --data",
    )
    parser.add_argument("--pairs", type=int, default=Mix.pairs, help="shop items in a batch (default %(default)s)")
    parser.add_argument(
        "--consumer-pairs",
        type=int,
        default=Mix.consumer_pairs,
        help="cut-out consumer items in a batch (default %(default)s)",
    )
    parser.add_argument(
        "--singles", type=int, default=Mix.singles, help="whole consumer photos in a batch (default %(default)s)"
    )
    parser.add_argument(
        "--small", type=int, default=Mix.small, help="small shop photos in a batch (default %(default)s)"
    )
    parser.add_argument(
        "--loss",
        type=partial(_amount, tuple(LOSSES), float("inf")),
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"the weight of a loss, 0 for none; repeatable ({', '.join(f'{each}={LOSSES[each]}' for each in LOSSES)})",
    )
    parser.add_argument(
        "--augment",
        type=partial(_amount, _AUGMENTATIONS, 1.0),
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help=f"the strength of a change to views, 0 for none, 1 by default; repeatable ({', '.join(_AUGMENTATIONS)})",
    )
    parser.add_argument("--learning-rate", type=float, default=Config.learning_rate, help="default %(default)s")
    parser.add_argument(
        "--backbone",
        choices=tuple(BACKBONES),
        default=Config.backbone,
        help="the network to train (default %(default)s)",
    )
    parser.add_argument(
        "--dimension",
        type=int,
        default=Config.dimension,
        help="length of the converted model's vector (default %(default)s)",
    )
    parser.add_argument(
        "--frozen-through", default=Config.frozen_through, help="name of the last frozen layer (default %(default)s)"
    )
    parser.add_argument("--every", type=int, default=Config.every, help="steps between figures (default %(default)s)")
    parser.add_argument("--seed", type=int, default=Config.seed, help="seed of views and weights (default %(default)s)")
    parser.add_argument(
        "--everything",
        action="store_true",
        help="also train on validation and test, for a model that nothing will measure",
    )
    parser.add_argument("--split-seed", type=int, default=Split.seed, help="seed of the split (default %(default)s)")
    return parser


def _amount(names: Sequence[str], most: float, text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    if name not in names:
        raise argparse.ArgumentTypeError(f"{text!r} names none of {', '.join(names)}")
    try:
        count = float(number)
    except ValueError:
        count = -1.0
    if not (0 <= count <= most and isfinite(count)):
        reach = f"to {most:g}" if isfinite(most) else "up"
        raise argparse.ArgumentTypeError(f"{text!r} should be like {name}=0.5, from 0 {reach}")
    return name, count


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in ("steps", "minutes", "pairs", "singles", "learning_rate", "dimension", "every", "side"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name.replace('_', '-')} must be above 0")
    config = Config(
        weights=options.weights,
        steps=options.steps,
        minutes=options.minutes,
        start=str(options.start or ""),
        teacher=str(options.teacher or ""),
        side=options.side,
        bfloat16=options.bfloat16,
        masks=str(options.masks or ""),
        mix=Mix(options.pairs, options.consumer_pairs, options.singles, options.small),
        backbone=options.backbone,
        losses=LOSSES | dict(options.loss),
        augmentation=Augmentation(**dict(options.augment)),
        dimension=options.dimension,
        frozen_through=options.frozen_through,
        learning_rate=options.learning_rate,
        every=options.every,
        seed=options.seed,
        split=Split(seed=options.split_seed),
        everything=options.everything,
    )
    command = shlex.join(["python", *sys.argv]) if arguments is None else shlex.join(["scripts/train.py", *arguments])

    def run() -> None:
        from embeddings.training.train import train

        summary = train(options.data, options.run, config, command)
        print(f"{summary['steps']} steps in {summary['minutes']} minutes; best at step {summary['best']['step']:.0f}")
        print(f"next: python scripts/convert.py --run {options.run} --data {options.data} --out garment.tflite")

    return run_command(
        run, interrupted=f"interrupted; repeat the command to resume from the last checkpoint in {options.run}"
    )


if __name__ == "__main__":
    sys.exit(main())

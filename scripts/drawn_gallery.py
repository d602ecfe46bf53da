"""Draw a small gallery of garments, so that the demo and the tests need no download.

    python scripts/drawn_gallery.py gallery --count 300 --seed 1

Drawings that are there already are left alone.
"""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tqdm import tqdm

from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command
from scripts.drawing.bags import draw_bag
from scripts.drawing.canvas import Canvas
from scripts.drawing.cloth import COLOURS, WHITE, Cloth, Pattern, Rgb
from scripts.drawing.clothes import draw_dress, draw_shirt, draw_skirt, draw_trousers
from scripts.drawing.hats import draw_hat
from scripts.drawing.shoes import draw_shoe

KINDS: dict[str, Callable[[Canvas, Cloth, Random], None]] = {
    "shirts": draw_shirt,
    "dresses": draw_dress,
    "trousers": draw_trousers,
    "skirts": draw_skirt,
    "shoes": draw_shoe,
    "bags": draw_bag,
    "hats": draw_hat,
}
_PATTERNS: tuple[Pattern, ...] = ("plain", "plain", "striped", "checked", "dotted")
_REPEATS = {"shoes": 15, "hats": 20}
_PALE = {"beige", "yellow"}


def draw_gallery(folder: Path, count: int = 300, seed: int = 1) -> list[Path]:
    """Draw `count` garments as `<folder>/<kind>/<colour>-<pattern>-<number>.jpg`, the same ones for the same seed.

    Files that are there already are left alone, so that their time stamps, and with them an index, stay true.

    Returns:
        The files, in the order they were drawn.
    """
    random = Random(seed)  # noqa: S311 - a drawing, not a secret
    seen: Counter[str] = Counter()
    files = []
    for number in tqdm(range(count), desc="drawing", unit="garment", disable=None, leave=False):
        kind = list(KINDS)[number % len(KINDS)]
        colour, pattern = random.choice(list(COLOURS)), random.choice(_PATTERNS)
        name = f"{kind}/{colour}-{pattern}"
        seen[name] += 1
        file = folder / f"{name}-{seen[name]:02}.jpg"
        files.append(file)
        own = Random(f"{seed}/{number}")  # noqa: S311 - its own, so that a skipped file does not change the next ones
        if not file.exists():
            _draw(file, kind, colour, pattern, own)
    return files


def _draw(file: Path, kind: str, colour: str, pattern: Pattern, random: Random) -> None:
    canvas = Canvas()
    ink = _varied(COLOURS["navy"], random) if colour in _PALE else WHITE
    repeat = _REPEATS.get(kind, 24) * random.uniform(0.75, 1.3)
    KINDS[kind](canvas, Cloth(_varied(COLOURS[colour], random), ink, pattern, repeat), random)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")  # a drawing that was interrupted must not be taken for a finished one
    canvas.image().save(unfinished, "JPEG", quality=90)
    unfinished.replace(file)


def _varied(colour: Rgb, random: Random) -> Rgb:
    """A shade near `colour`: two blue shirts are seldom the same blue."""
    brightness = random.uniform(0.9, 1.1)
    red, green, blue = (max(0, min(255, round(part * brightness * random.uniform(0.95, 1.05)))) for part in colour)
    return red, green, blue


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=positive, default=300, help="how many garments (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="another number, other garments (default: 1)")
    options = parser.parse_args(arguments)

    def run() -> None:
        files = draw_gallery(options.folder, options.count, options.seed)
        print(f"{len(files)} garments in {options.folder}")

    return run_command(run, interrupted="interrupted; the same command draws the rest")


if __name__ == "__main__":
    sys.exit(main())

"""Draw a small gallery of garments, so that demo and tests need no download.

    python scripts/drawn_gallery.py gallery --count 300 --seed 1

Existing drawings stay as they are. The gallery has a product feed, feed.csv, with made-up names and prices.
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
from scripts.drawing.feed import write_feed
from scripts.drawing.hats import draw_hat
from scripts.drawing.shoes import draw_shoe

TYPES: dict[str, Callable[[Canvas, Cloth, Random], None]] = {
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
    """Draw `count` garments as `<folder>/<type>/<colour>-<pattern>-<number>.jpg`, the same ones for the same seed.

    Existing files stay as they are. Their time stamps do not change, so an index of them stays up to date.

    Returns:
        The files, in the order of drawing.
    """
    random = Random(seed)  # noqa: S311 - a drawing, not a secret
    seen: Counter[str] = Counter()
    files = []
    for number in tqdm(range(count), desc="drawing", unit="garment", disable=None, leave=False):
        garment = list(TYPES)[number % len(TYPES)]
        colour, pattern = random.choice(list(COLOURS)), random.choice(_PATTERNS)
        name = f"{garment}/{colour}-{pattern}"
        seen[name] += 1
        file = folder / f"{name}-{seen[name]:02}.jpg"
        files.append(file)
        own = Random(f"{seed}/{number}")  # noqa: S311 - one per file, so that skipping a file does not change the next
        if not file.exists():
            _draw(file, garment, colour, pattern, own)
    return files


def _draw(file: Path, garment: str, colour: str, pattern: Pattern, random: Random) -> None:
    canvas = Canvas()
    ink = _varied(COLOURS["navy"], random) if colour in _PALE else WHITE
    repeat = _REPEATS.get(garment, 24) * random.uniform(0.75, 1.3)
    TYPES[garment](canvas, Cloth(_varied(COLOURS[colour], random), ink, pattern, repeat), random)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")  # an interrupted drawing must not pass for a finished one
    canvas.image().save(unfinished, "JPEG", quality=90)
    unfinished.replace(file)


def _varied(colour: Rgb, random: Random) -> Rgb:
    """Return a shade near `colour`: two blue shirts are seldom the same blue."""
    brightness = random.uniform(0.9, 1.1)
    red, green, blue = (max(0, min(255, round(part * brightness * random.uniform(0.95, 1.05)))) for part in colour)
    return red, green, blue


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=positive, default=300, help="number of garments (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="a different seed draws different garments (default: 1)")
    options = parser.parse_args(arguments)

    def run() -> None:
        files = draw_gallery(options.folder, options.count, options.seed)
        write_feed(options.folder, files)
        print(f"{len(files)} garments in {options.folder}")

    return run_command(run, interrupted="interrupted; run the same command again to draw the rest")


if __name__ == "__main__":
    sys.exit(main())

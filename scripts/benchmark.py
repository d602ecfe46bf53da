"""Measure how fast the search is, against the floor of bare library calls and against what one writes without care.

    python scripts/benchmark.py                                # all, with drawn photos
    python scripts/benchmark.py --photos ~/photos              # with real ones
    python scripts/benchmark.py --only cold_start search       # some of it
    python scripts/benchmark.py --quick                        # whether it runs, not how fast
    python scripts/benchmark.py --json out.json --plot out.png

Fresh processes for cold starts; medians over repeats, and between which values the middle half lies; what is compared
is measured in turns, so that a busy moment slows both. docs/performance.md explains the figures. Needs
requirements.txt; where tensorflow or faiss-cpu is missing, it says what it left out.
"""

import argparse
import json
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.plot import draw
from scripts.benchmarks.processes import ChildError
from scripts.benchmarks.results import Result, table
from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command

ROOT = Path(__file__).resolve().parent.parent
MEASUREMENTS = ("cold_start", "warm_query", "large_photo", "search", "rebuild", "memory", "throughput", "growth")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _options(arguments)
    return run_command(lambda: _run(options), errors=(ChildError,))


def _run(options: argparse.Namespace) -> None:
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(Options(options.work.resolve(), options.photos, options.rows, options.installed, options.quick))
    bench.photos(1)  # a wrong folder is noticed now
    machine = _machine()
    print(f"{machine}\n", flush=True)
    results: dict[str, Result] = {}
    for name in options.only:
        began = time.monotonic()
        results[name] = import_module(f"scripts.benchmarks.{name}").measure(bench)
        print(f"{table(results[name])}\n  [{time.monotonic() - began:.0f} s]\n", flush=True)
    missed = [target.name for result in results.values() for target in result.targets if not target.met]
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    if options.json:
        content = {"machine": machine, "results": {name: each.to_dict() for name, each in results.items()}}
        options.json.write_text(json.dumps(content, indent=1))
    if options.plot:
        draw(results["growth"], options.plot)


def _machine() -> str:
    """What kind it is, and what else it was doing."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, load before it began {load:.1f}"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="real photos (default: drawn garments)")
    parser.add_argument("--rows", type=positive, default=60_000, help="of the index (default: %(default)s)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASUREMENTS,
        default=MEASUREMENTS,
        metavar="NAME",
        help=f"some of {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument("--installed", action="store_true", help="not the Lambda bundle, but what is installed here")
    parser.add_argument("--quick", action="store_true", help="few repeats, small sizes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for machines")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the growth with the number of rows, as PNG")
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / ".benchmark_cache",
        metavar="FOLDER",
        help="for what is made, and used again the next time (default: .benchmark_cache)",
    )
    options = parser.parse_args(arguments)
    if options.plot and "growth" not in options.only:
        parser.error("--plot draws the growth; measure it too")
    return options


if __name__ == "__main__":
    sys.exit(main())

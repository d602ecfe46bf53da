"""Measure speed and memory, and compare them with bare library calls and with naive code.

    python scripts/benchmark.py                                # everything, with drawn photos
    python scripts/benchmark.py --photos ~/photos              # with real photos
    python scripts/benchmark.py --only cold_start search       # a part of it
    python scripts/benchmark.py --quick                        # check that it runs, not how fast
    python scripts/benchmark.py --json out.json --plot out.png

A cold start is a fresh process. Figures are medians over repeats, with the range of the middle half. Things that are
compared take turns, so that a busy moment slows both. docs/performance.md explains the figures. Needs requirements.txt;
says what it left out if tensorflow or faiss-cpu is missing.
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
from scripts.benchmarks.child_processes import ChildError
from scripts.benchmarks.growth_plot import draw_growth
from scripts.benchmarks.results import Result, table
from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command

ROOT = Path(__file__).resolve().parent.parent
MEASUREMENTS = (
    *("cold_start", "warm_query", "large_photo", "search", "products", "rebuild", "memory", "throughput", "growth"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _options(arguments)
    return run_command(lambda: _run(options), errors=(ChildError,))


def _run(options: argparse.Namespace) -> None:
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(Options(options.work.resolve(), options.photos, options.rows, options.installed, options.quick))
    bench.photos(1)  # a wrong folder fails now
    machine = _machine()
    print(f"{machine}\n", flush=True)
    results: dict[str, Result] = {}
    for name in options.only:
        began = time.monotonic()
        results[name] = import_module(f"scripts.benchmarks.measurements.{name}").measure(bench)
        print(f"{table(results[name])}\n  [{time.monotonic() - began:.0f} s]\n", flush=True)
    missed = [target.name for result in results.values() for target in result.targets if not target.met]
    print(f"missed: {', '.join(missed)}" if missed else "all targets met")
    if options.json:
        content = {"machine": machine, "results": {name: each.to_dict() for name, each in results.items()}}
        options.json.write_text(json.dumps(content, indent=1))
    if options.plot:
        draw_growth(results["growth"], options.plot)


def _machine() -> str:
    """Describe the machine and how busy it is."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, load before it began {load:.1f}"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="real photos (default: drawn garments)")
    parser.add_argument("--rows", type=positive, default=60_000, help="photos in the index (default: %(default)s)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASUREMENTS,
        default=MEASUREMENTS,
        metavar="NAME",
        help=f"measure only these: {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument(
        "--installed", action="store_true", help="measure the installed packages, not the Lambda bundle"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, no repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="plot the growth with the gallery, as PNG")
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / ".benchmark_cache",
        metavar="FOLDER",
        help="folder for everything that is made, reused by the next run (default: .benchmark_cache)",
    )
    options = parser.parse_args(arguments)
    if options.plot and "growth" not in options.only:
        parser.error("--plot needs the measurement of growth; add it to --only")
    return options


if __name__ == "__main__":
    sys.exit(main())

"""Measure speed and memory, and compare them with bare library calls and with naive code.

    python scripts/benchmark.py                                # everything, with drawn photos
    python scripts/benchmark.py --photos ~/photos              # with real photos
    python scripts/benchmark.py --only cold_start search       # a part of it
    python scripts/benchmark.py --quick                        # check that it runs, not how fast
    python scripts/benchmark.py --json out.json                # keep the figures

A cold start is a fresh process. Figures are medians over repeats, with the range of the middle half. Things that are
compared take turns, so that a busy moment slows both; a measurement during which other programs took much of the
processors is marked all the same. The table at the end has the figures of the last release beside the new ones
(docs/performance.json). docs/performance.md explains them, and scripts/performance_tables.py makes its tables. Needs
requirements.txt; says what it left out if tensorflow or faiss-cpu is missing.
"""

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from embeddings.embedder import BUNDLED_MODEL, Embedder
from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.busy import Usage, others_share
from scripts.benchmarks.child_processes import ChildError
from scripts.benchmarks.results import Result, listing
from scripts.benchmarks.summary import RELEASED, read_results, summary, write_results
from scripts.cli.argument_types import positive
from scripts.cli.command import FAILED, command_parser, run_command

ROOT = Path(__file__).resolve().parent.parent
MEASUREMENTS = (
    *("cold_start", "warm_query", "large_photo", "search", "products", "rebuild", "memory", "throughput", "growth"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _options(arguments)
    return run_command(lambda: _run(options), errors=(ChildError,))


def _run(options: argparse.Namespace) -> int:
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(Options(options.work.resolve(), options.photos, options.rows, options.installed, options.quick))
    bench.photos(1)  # a wrong folder fails now
    circumstances = _circumstances(options.photos)
    print(", ".join(circumstances.values()), flush=True)
    results: dict[str, Result] = {}
    for name in options.only:
        began, before = time.monotonic(), Usage.now()
        try:
            result: Result = import_module(f"scripts.benchmarks.measurements.{name}").measure(bench)
        except ChildError as error:
            print(f"error: {name}: {error}", file=sys.stderr, flush=True)  # the others are still worth having
            continue
        result.circumstances, result.others = circumstances, others_share(before, Usage.now())
        results[name] = result
        print(f"\n{listing(result)}\n  [{time.monotonic() - began:.0f} s]", flush=True)
        if options.json:
            write_results(options.json, results)  # each time, so that an interrupted run is not lost
    print(f"\n{summary(results, read_results(RELEASED))}")
    return FAILED if len(results) < len(options.only) else 0


def _circumstances(photos: Path | None) -> dict[str, str]:
    """Describe when, where and with what the figures were taken."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), processor)
    return {
        "on": datetime.now(UTC).strftime("%-d %B %Y"),
        "machine": f"{processor}, {os.cpu_count()} cores",
        "model": Embedder(BUNDLED_MODEL).sha256[:8],
        "photos": "drawn" if photos is None else "real",
    }


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
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / ".benchmark_cache",
        metavar="FOLDER",
        help="folder for everything that is made, reused by the next run (default: .benchmark_cache)",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

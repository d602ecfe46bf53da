"""Make the tables of docs/performance.md from the results in docs/performance.json.

    python scripts/performance_tables.py                                    # make the tables again
    python scripts/performance_tables.py .benchmark_cache/bench.json        # take over new results first

Results of scripts/benchmark.py that were taken on a busy machine are refused; those of other measurements in the same
file are taken over, and replace the ones before.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.benchmarks.busy import is_busy
from scripts.benchmarks.document import with_tables
from scripts.benchmarks.growth_plot import draw_growth
from scripts.benchmarks.summary import RELEASED, read_results, write_results
from scripts.cli.command import command_parser, run_command

DOCUMENT, PLOT = RELEASED.with_suffix(".md"), RELEASED.with_name("growth.png")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    return run_command(lambda: _run(options.results), errors=())


def _run(new: Path | None) -> None:
    results = read_results(RELEASED)
    if new is not None:
        for name, result in read_results(new).items():
            if is_busy(result.others):
                print(f"not taken over: {name}, during which other programs took {result.others:.0%} of the processors")
                continue
            results[name] = result
            if name == "growth":
                draw_growth(result, PLOT)
        write_results(RELEASED, results)
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), results), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument("results", type=Path, nargs="?", metavar="FILE", help="what scripts/benchmark.py --json wrote")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Estimate the monthly bill: measure the search function on this machine and apply the price lists.

    python scripts/costs.py                                  # measure, then print the tables of docs/costs.md
    python scripts/costs.py --rows 250000                    # with a larger gallery
    python scripts/costs.py --measured 322 114 24.7 1100 200 # with the figures of an earlier run

It publishes an index of invented vectors to a folder, and a fresh process answers one request as on Lambda, then forty
more, then one with the largest photo. docs/costs.md explains the tables and what they leave out.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.benchmarks.child_processes import ChildError
from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command
from scripts.pricing.bills import Amazon, Google
from scripts.pricing.measured import Measured, measure
from scripts.pricing.tables import break_even, idle_table, month_table, old_versions, worst_table


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("--rows", type=positive, default=60_000, help="photos in the gallery (default: %(default)s)")
    parser.add_argument(
        "--memory", type=int, default=1769, metavar="MB", help="the function's memory (default: %(default)s)"
    )
    parser.add_argument(
        "--stored", type=float, default=9.0, metavar="GB", help="gallery and index (default: %(default)s)"
    )
    parser.add_argument(
        "--measured",
        type=float,
        nargs=5,
        metavar=("START", "FIRST", "WARM", "LARGEST", "MB"),
        help="milliseconds and memory of an earlier run, in place of measuring",
    )
    options = parser.parse_args(arguments)
    return run_command(lambda: _report(parser, options), errors=(ChildError,))


def _report(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    measured = Measured(*options.measured) if options.measured else measure(options.rows)
    print(
        f"{options.rows:,} photos: start {measured.start_ms:.0f} ms, first request {measured.first_ms:.0f} ms, warm "
        f"{measured.warm_ms:.1f} ms, largest photo {measured.largest_ms:,.0f} ms, memory {measured.memory_mb:.0f} MB"
    )
    if measured.memory_mb > options.memory:
        parser.error(f"--memory {options.memory} is less than the {measured.memory_mb:.0f} MB that the function used")
    gateway = Amazon(measured, options.memory, options.stored)
    url = Amazon(measured, options.memory, options.stored, has_gateway=False)
    google = Google(measured, options.stored)
    for table in (
        idle_table(gateway, google),
        month_table(gateway, url, google),
        break_even(gateway, url, google),
        worst_table(gateway, url, google),
        old_versions(options.rows, gateway.prices.stored_gb),
    ):
        print(f"\n{table}")


if __name__ == "__main__":
    sys.exit(main())

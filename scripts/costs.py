"""Estimate the monthly bill on Amazon: measure the search function on this machine and apply the price list.

    python scripts/costs.py                  # measure, then print the table
    python scripts/costs.py --rows 250000    # with a larger gallery

It publishes an index of invented vectors to a folder, and a fresh process answers one request as on Lambda, then forty
more. docs/costs.md explains the table and what it leaves out.
"""

import argparse
import math
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tqdm import tqdm

from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import ChildError, run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.indexes import published_index
from scripts.benchmarks.photos import camera_photo, encoded
from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command
from scripts.drawn_gallery import draw_gallery

QUERIES = (0, 1_000, 100_000, 1_000_000)
"""Queries a month, one row of the table each."""

_PAGE_PHOTO = (480, 640)  # pixels; the page scales photos down to this
_WARM_REQUESTS = 40
_CORE_MB = 1769  # Lambda gives a function with this much memory one whole core, and one with less a share of it
_WARM_MINUTES = 10  # about how long Lambda keeps an idle instance; AWS promises nothing
_MINUTES = 30 * 24 * 60


@dataclass(frozen=True)
class Prices:
    """List prices in US dollars: us-east-1, arm64, November 2026, without free tiers."""

    gb_second: float = 0.0000133334
    million_requests: float = 0.20
    million_api_calls: float = 1.00
    stored_gb: float = 0.023
    million_queue_calls: float = 0.40
    watching_month: float = 7 * 0.10 + 0.30
    """The alarms of infra/alarms.yml and one custom metric."""
    server_month: float = 6.13 + 3.65 + 0.64
    """A t4g.micro (1 GB, two slow cores), its public address and 8 GB of disk."""


@dataclass(frozen=True)
class Measured:
    """The search function on one core of this machine."""

    start_ms: float
    """From the start of the process until the handler is imported."""
    first_ms: float
    """The first request, which waits for the index."""
    warm_ms: float
    memory_mb: float
    """The peak of the process."""


def measure(rows: int) -> Measured:
    """Publish an index of `rows` vectors and send a fresh process a photo as large as the page's, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with tqdm(total=2, desc="measuring", unit="step", disable=None, leave=False) as bar:
            index = published_index(rows, work)
            bar.update()
            (drawn,) = draw_gallery(work / "gallery", 1)
            event = write_event(work / "event.json", encoded(camera_photo(drawn, _PAGE_PHOTO), quality=85))
            given = {"event": str(event), "more": _WARM_REQUESTS, "weigh": True}
            run = run_child("handler", INSTALLED, given, {**HANDLER, "INDEX_URI": str(index)})
            bar.update()
    told = run.told
    first_ms = told["first_ms"]
    return Measured(run.answer_ms - first_ms, first_ms, statistics.median(told["warm_ms"]), told["peak_mb"])


def query_dollars(measured: Measured, prices: Prices, memory_mb: int, queries: int) -> tuple[float, float]:
    """Return the cost of one query and the share of cold starts, if queries come evenly over the month."""
    slower = max(1.0, _CORE_MB / memory_mb)
    warm = measured.warm_ms * slower
    cold = measured.start_ms + measured.first_ms * slower  # Lambda starts an instance with a whole core
    share = math.exp(-queries / _MINUTES * _WARM_MINUTES)
    seconds = (share * cold + (1 - share) * warm) / 1000
    dollars = seconds * memory_mb / 1024 * prices.gb_second
    return dollars + (prices.million_requests + prices.million_api_calls) / 1e6, share


def idle_dollars(prices: Prices, stored_gb: float) -> float:
    """Return the cost of a month without queries: storage, alarms, and Lambda's polling of the queue.

    Lambda polls with five callers, each of them every 20 seconds.
    """
    queue_calls = 5 * 3 * _MINUTES
    return stored_gb * prices.stored_gb + prices.watching_month + queue_calls / 1e6 * prices.million_queue_calls


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
    options = parser.parse_args(arguments)
    return run_command(lambda: _report(parser, options), errors=(ChildError,))


def _report(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    measured, prices = measure(options.rows), Prices()
    print(
        f"{options.rows:,} photos: start {measured.start_ms:.0f} ms, first request {measured.first_ms:.0f} ms, "
        f"warm {measured.warm_ms:.1f} ms, memory {measured.memory_mb:.0f} MB"
    )
    if measured.memory_mb > options.memory:
        parser.error(f"--memory {options.memory} is less than the {measured.memory_mb:.0f} MB that the function used")
    idle = idle_dollars(prices, options.stored)
    print(f"\n{'queries a month':>16} {'cold':>6} {'$ a query':>12} {'$ a month':>10}")
    for queries in QUERIES:
        each, cold = query_dollars(measured, prices, options.memory, queries)
        print(f"{queries:>16,} {cold:>6.0%} {each:>12.8f} {idle + queries * each:>10.2f}")
    warm, _ = query_dollars(measured, prices, options.memory, QUERIES[-1])
    print(
        f"\nThe smallest server costs ${prices.server_month:.2f} a month: "
        f"as much as {(prices.server_month - idle) / warm:,.0f} queries"
    )


if __name__ == "__main__":
    sys.exit(main())

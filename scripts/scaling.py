"""From which size of the gallery which backend: what it costs to fill, to keep and to search, from 60,000 to a billion.

    python scripts/scaling.py                       # the tables of docs/scaling.md
    python scripts/scaling.py --rows 5000000        # for another size

Multiplies what was measured (docs/performance.md) with list prices; docs/scaling.md has the sources.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.cli import command_parser, positive, run_command
from scripts.costs import Measured, Prices, idle_dollars, query_dollars

SIZES = (60_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
SEARCHES = (0, 10_000, 1_000_000)
"""A month."""
MATRIX_MOST_MB = 10_240
"""Of a Lambda function."""

SMALL, LARGE = 60_000, 1_000_000
_START_MS = 322.0
AT_SMALL = Measured(_START_MS, first_ms=485 - _START_MS, warm_ms=25.0, memory_mb=183)
AT_LARGE = Measured(_START_MS, first_ms=2812 - _START_MS, warm_ms=126.0, memory_mb=1654)
"""On a busy machine, as docs/scaling.md says: cold start (index in a folder), warm query, most memory.
Of a cold start the imports are taken to be always the same, by docs/costs.md."""
PHOTOS_A_SECOND = 136 / 2
"""A rebuild on that machine's two hyperthreads; a function of one core has one."""

REFRESH_KB = 2.5
"""A photo, while a newer matrix takes the place of one: both as float32, and the new one as it came, as float16."""

_CORE_MB = 1769
_DIMENSION, _KEY_BYTES, _METADATA_BYTES, _ETAG_BYTES = 256, 30, 40, 40
_GENERATIONS = 5  # the current one, three before it, and one of today
_ENGINE_MS, _CLIENT_MS = 100.0, 125.0
_ENGINE_VECTORS_A_SECOND = 2_500
_KB, _GB, _TB = 2**10, 2**30, 2**40  # as AWS reckons in its examples


@dataclass(frozen=True)
class EnginePrices:
    """US dollars of Amazon S3 Vectors and of S3, us-east-1; docs/scaling.md says from where."""

    stored_gb: float = 0.06
    put_gb: float = 0.20
    million_queries: float = 2.50
    first_tb: float = 0.004
    """Of data processed: the average vector, times the vectors in the index, up to 100,000 of them;"""
    next_tb: float = 0.002
    last_tb: float = 0.0004
    """and beyond 10,000,000: "up to 80 % less"; nobody's list was found that says how much exactly."""
    million_gets: float = 0.40


def query_data_dollars(rows: int, vector_bytes: float, prices: EnginePrices) -> float:
    """What the data of one query costs."""
    steps = ((100_000, prices.first_tb), (10_000_000, prices.next_tb), (rows, prices.last_tb))
    dollars, done = 0.0, 0
    for end, price in steps:
        dollars += max(0, min(rows, end) - done) * vector_bytes / _TB * price
        done = max(done, min(rows, end))
    return dollars


def matrix(rows: int) -> Measured:
    """What the search function measures with a matrix of `rows`: a straight line through two measurements.

    Its memory is what it takes without any, and what the matrix takes while a newer one comes.
    """

    return Measured(
        start_ms=_on_line(rows, AT_SMALL.start_ms, AT_LARGE.start_ms),
        first_ms=_on_line(rows, AT_SMALL.first_ms, AT_LARGE.first_ms),
        warm_ms=_on_line(rows, AT_SMALL.warm_ms, AT_LARGE.warm_ms),
        memory_mb=_on_line(0, AT_SMALL.memory_mb, AT_LARGE.memory_mb) + rows * REFRESH_KB / 1024,
    )


def _on_line(rows: int, small: float, large: float) -> float:
    return small + (large - small) * (rows - SMALL) / (LARGE - SMALL)


def engine() -> Measured:
    """The same where the engine searches: what a search takes without the matrix, and the engine's answer."""
    first_ms = AT_SMALL.first_ms + _CLIENT_MS + _ENGINE_MS
    return Measured(AT_SMALL.start_ms, first_ms, matrix(0).warm_ms + _ENGINE_MS, AT_SMALL.memory_mb)


def matrix_month(rows: int, searches: int) -> float:
    """Dollars a month, without the photos' storage."""
    measured = matrix(rows)
    memory_mb = max(_CORE_MB, round(1.2 * measured.memory_mb))
    each, _ = query_dollars(measured, Prices(), memory_mb, searches)
    return idle_dollars(Prices(), stored_gb(rows, "matrix")) + searches * each


def engine_month(rows: int, searches: int) -> float:
    """The same with S3 Vectors."""
    prices = EnginePrices()
    stored = stored_gb(rows, "S3 Vectors") * prices.stored_gb
    return idle_dollars(Prices(), 0) + stored + searches * engine_query_dollars(rows, searches)


def engine_query_dollars(rows: int, searches: int) -> float:
    """Of one search by a photo; one by a key also gets that key's vector."""
    prices = EnginePrices()
    each, _ = query_dollars(engine(), Prices(), _CORE_MB, searches)
    processed = query_data_dollars(rows, 4 * _DIMENSION + _KEY_BYTES + _METADATA_BYTES, prices)
    return each + prices.million_queries / 1e6 + processed


def stored_gb(rows: int, backend: str) -> float:
    """Of the index alone."""
    if backend == "matrix":
        return rows * _GENERATIONS * (2 * _DIMENSION + 2 * _KEY_BYTES + _ETAG_BYTES) / _GB
    return rows * (4 * _DIMENSION + _KEY_BYTES + _METADATA_BYTES + _ETAG_BYTES) / _GB


def fill_dollars(rows: int, backend: str) -> float:
    """Embedding in Lambda functions of one core, reading each photo once, and writing the vectors."""
    prices = EnginePrices()
    seconds = rows / PHOTOS_A_SECOND
    computing = seconds * _CORE_MB / 1024 * Prices().gb_second
    writing = stored_gb(rows, backend) * prices.put_gb if backend == "S3 Vectors" else 0
    return computing + rows / 1e6 * prices.million_gets + writing


def flip(dearer: Callable[[int], bool], most: int) -> int:
    """The first size at which something holds, to 1 %; it must hold from there on."""
    low, high = 1, most
    while high > 1.01 * low + 1:
        middle = (low + high) // 2
        low, high = (low, middle) if dearer(middle) else (middle, high)
    return high


def tables(sizes: tuple[int, ...]) -> str:
    """Markdown."""
    heads = ("garments", "vectors in", "core-hours to embed", "$ to fill", "GB", "ms a search", "$ a month, idle")
    rows = [
        f"| {' | '.join(heads)} | 10,000 searches | 1,000,000 |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for size in sizes:
        backends = ("matrix", "S3 Vectors") if matrix(size).memory_mb <= MATRIX_MOST_MB else ("S3 Vectors",)
        for backend in backends:
            month = matrix_month if backend == "matrix" else engine_month
            warm = (matrix(size) if backend == "matrix" else engine()).warm_ms
            cells = [
                f"{size:,}",
                backend,
                f"{size / PHOTOS_A_SECOND / 3600:,.1f}",
                f"{fill_dollars(size, backend):,.2f}",
                f"{stored_gb(size, backend):,.1f}",
                f"{warm:.0f}",
                *(f"{month(size, searches):,.2f}" for searches in SEARCHES),
            ]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, "", *flips()])


def flips() -> list[str]:
    """Where each choice turns, as a list."""
    most = flip(lambda size: matrix(size).memory_mb > MATRIX_MOST_MB, SIZES[-1])
    slow = flip(lambda size: matrix(size).start_ms + matrix(size).first_ms > 3000, most)
    costs = [
        flip(lambda size, each=searches: matrix_month(size, each) > engine_month(size, each), most)  # type: ignore[misc]
        for searches in SEARCHES[1:]
    ]
    pays = [100 / engine_query_dollars(size, SEARCHES[-1]) for size in SIZES[2:]]
    hours = SIZES[-1] / _ENGINE_VECTORS_A_SECOND / 3600
    return [
        f"- A matrix's cold start takes over 3 seconds from {_about(slow)} garments, S3's own time not counted.",
        f"- A matrix costs more from {_about(costs[0])} garments at 10,000 searches a month, and from "
        f"{_about(costs[1])} at 1,000,000.",
        f"- A matrix no longer fits into a function ({MATRIX_MOST_MB:,} MB) from {_about(most)} garments.",
        f"- $100 of a server a month are as much as {_about(pays[0])} searches of the engine at 10,000,000 garments, "
        f"{_about(pays[1])} at 100,000,000, {_about(pays[2])} at a billion.",
        f"- More than {_ENGINE_VECTORS_A_SECOND / PHOTOS_A_SECOND:.0f} cores at once fill one vector index no faster "
        f"({_ENGINE_VECTORS_A_SECOND:,} vectors a second): a billion take {hours:,.0f} hours at least.",
    ]


def _about(size: float) -> str:
    """Two digits: more would pretend."""
    return f"{float(f'{size:.1e}'):,.0f}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("--rows", type=positive, help="garments (default: five sizes)")
    options = parser.parse_args(arguments)
    return run_command(lambda: print(tables(SIZES if options.rows is None else (options.rows,))))


if __name__ == "__main__":
    sys.exit(main())

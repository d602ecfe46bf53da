"""What a month on Amazon costs: measure the search function on this machine, and multiply by the price list.

    python scripts/costs.py                  # measure, then print the table
    python scripts/costs.py --rows 250000    # with a larger gallery

An index of clustered random vectors is published to a folder and a fresh process answers as on Lambda: start, first
request, then forty warm ones. docs/costs.md explains the table and what it leaves out.
"""

import argparse
import base64
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PIL import Image
from tqdm import tqdm

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.index.publish import Content, Pointer, publish
from embeddings.index.sources import Sources
from embeddings.storage.writers import open_writer
from scripts.cli.argument_types import positive
from scripts.cli.command import command_parser, run_command

ROOT = Path(__file__).resolve().parent.parent

QUERIES = (0, 1_000, 100_000, 1_000_000)
"""A month."""

_CLUSTERS = 500
_WARM_REQUESTS = 40
_CORE_MB = 1769  # Lambda gives a function of this memory one whole core, and less memory a share of it
_WARM_MINUTES = 10  # how long Lambda keeps an idle instance, about; not promised
_MINUTES = 30 * 24 * 60


@dataclass(frozen=True)
class Prices:
    """US dollars; us-east-1, arm64, list prices of November 2026, without any free tier."""

    gb_second: float = 0.0000133334
    million_requests: float = 0.20
    million_api_calls: float = 1.00
    stored_gb: float = 0.023
    million_queue_calls: float = 0.40
    watching_month: float = 7 * 0.10 + 0.30
    """The alarms of infra/alarms.yml and the one metric of our own."""
    server_month: float = 6.13 + 3.65 + 0.64
    """t4g.micro (1 GB, two slow cores), its public address, 8 GB of disk."""


@dataclass(frozen=True)
class Measured:
    """One search function; a core of this machine."""

    start_ms: float
    """From process start until the handler is imported."""
    first_ms: float
    """The first request: it waits for the index."""
    warm_ms: float
    memory_mb: float
    """The most the process had."""


def measure(rows: int) -> Measured:
    """Publish an index of `rows` vectors and ask a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        bar = tqdm(total=2, desc="measuring", unit="step", disable=None, leave=False)
        _publish(rows, f"{folder}/index")
        bar.update()
        environment = os.environ | {
            "INDEX_URI": f"{folder}/index",
            "IMAGE_BASE_URL": "https://images.example.com",
            "AWS_LAMBDA_FUNCTION_NAME": "costs",
            "_HANDLER": "functions.aws.search",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }
        request = json.dumps(_request())
        answer = subprocess.run(  # noqa: S603 - this interpreter, this file's code
            [sys.executable, "-c", _ASK, str(_WARM_REQUESTS)],
            input=request,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        bar.close()
        if answer.returncode:
            raise SystemExit(f"the search function failed:\n{answer.stderr}")
        return Measured(**json.loads(answer.stdout.splitlines()[-1]))  # before it comes the log


_ASK = """
import time; began = time.perf_counter()
import functions.aws
started = time.perf_counter()
import json, statistics, sys
from scripts.benchmarks.children.weight import peak_mb
event = json.load(sys.stdin)
def ask():
    before = time.perf_counter()
    answer = functions.aws.search(event, None)
    assert answer["statusCode"] == 200, answer
    return 1000 * (time.perf_counter() - before)
first = ask()
warm = statistics.median(ask() for _ in range(int(sys.argv[1])))
print(json.dumps({"start_ms": 1000 * (started - began), "first_ms": first, "warm_ms": warm, "memory_mb": peak_mb()}))
"""


def _publish(rows: int, index: str) -> None:
    embedder = Embedder(BUNDLED_MODEL)
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((_CLUSTERS, embedder.dimension), np.float32)
    vectors = centres[rng.integers(_CLUSTERS, size=rows)]
    vectors += rng.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = {f"photos/{number:08}.jpg": str(number) for number in range(rows)}
    content = Content(vectors.astype(np.float16), Sources(keys, {}), embedder.content)
    publish(open_writer(index), content, Pointer(None, None), with_model=True)


def _request() -> dict[str, object]:
    """A photo as the page sends it, 640 px, in payload format 2.0 of an HTTP API."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    stream = BytesIO()
    coarse.resize((640, 480), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=85)
    return {
        "version": "2.0",
        "rawPath": "/v1/search",
        "rawQueryString": "",
        "headers": {"content-type": "image/jpeg", "host": "search.example.com"},
        "requestContext": {"http": {"method": "POST", "path": "/v1/search", "protocol": "HTTP/1.1", "sourceIp": "::1"}},
        "body": base64.b64encode(stream.getvalue()).decode(),
        "isBase64Encoded": True,
    }


def query_dollars(measured: Measured, prices: Prices, memory_mb: int, queries: int) -> tuple[float, float]:
    """What one query costs, and the share of queries that start an instance, if they come evenly over the month."""
    slower = max(1.0, _CORE_MB / memory_mb)
    warm = measured.warm_ms * slower
    cold = measured.start_ms + measured.first_ms * slower  # an instance starts with the power of a whole core
    share = math.exp(-queries / _MINUTES * _WARM_MINUTES)
    seconds = (share * cold + (1 - share) * warm) / 1000
    dollars = seconds * memory_mb / 1024 * prices.gb_second
    return dollars + (prices.million_requests + prices.million_api_calls) / 1e6, share


def idle_dollars(prices: Prices, stored_gb: float) -> float:
    """A month without a query: what is stored, the alarms, and the queue that Lambda asks for messages.

    It asks with five callers at once, each every 20 seconds.
    """
    queue_calls = 5 * 3 * _MINUTES
    return stored_gb * prices.stored_gb + prices.watching_month + queue_calls / 1e6 * prices.million_queue_calls


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("--rows", type=positive, default=60_000, help="photos in the gallery (default %(default)s)")
    parser.add_argument("--memory", type=int, default=1769, metavar="MB", help="of the function (default %(default)s)")
    parser.add_argument("--stored", type=float, default=9.0, metavar="GB", help="gallery and index (%(default)s)")
    options = parser.parse_args(arguments)
    return run_command(lambda: _report(parser, options))


def _report(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    measured, prices = measure(options.rows), Prices()
    print(
        f"{options.rows:,} photos: start {measured.start_ms:.0f} ms, first request {measured.first_ms:.0f} ms, "
        f"warm {measured.warm_ms:.1f} ms, memory {measured.memory_mb:.0f} MB"
    )
    if measured.memory_mb > options.memory:
        parser.error(f"--memory {options.memory} is less than the {measured.memory_mb:.0f} MB that were used")
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

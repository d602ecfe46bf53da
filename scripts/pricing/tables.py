"""The tables of docs/costs.md, in Markdown."""

import math
from collections.abc import Sequence

from scripts.pricing.bills import SERVER_MONTH, Amazon, Google, cold_share

QUERIES = (0, 1_000, 100_000, 1_000_000)
"""Queries a month, one row each."""

# As in serverless.yml (prod) and infra/gcp/deploy.sh.
_RATE, _CONCURRENCY, _INSTANCES = 50, 20, 10
_POLLERS, _LIMITED_POLLERS = 2, 5  # callers of an idle queue without and with reindexConcurrency
_GENERATION_BYTES = 2 * 192 + 60  # a row: 192 dimensions in float16, key and source


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def idle_table(gateway: Amazon, google: Google) -> str:
    """List what an idle month consists of."""
    storage = gateway.idle(callers=0)
    parts = [
        ("storage", storage),
        ("Lambda polls the queue (`reindexConcurrency=0`)", gateway.polling(_POLLERS)),
        ("**as deployed**", gateway.idle(_POLLERS)),
        ("with `events=none`", storage),
        ("with `reindexConcurrency=2`", gateway.idle(_LIMITED_POLLERS)),
        ("with `alarmEmail`: six alarms and a metric more", gateway.idle(has_alarms=True)),
        (f"with `snapStart` at {gateway.memory_mb:,} MB", gateway.idle() + gateway.snapshot()),
        ("on Google: storage and the schedule", google.idle()),
    ]
    return _table(["an idle month", "$"], [(name, f"{dollars:.2f}") for name, dollars in parts])


def month_table(gateway: Amazon, url: Amazon, google: Google) -> str:
    """List the month's bill by the number of queries."""
    rows = [
        [
            f"{queries:,}" if queries else "none",
            f"{cold_share(queries):.0%}".replace("%", " %") if queries else "",
            *([f"{gateway.query(queries):.7f}", f"{google.query(queries):.7f}"] if queries else ["", ""]),
            *(f"{bill.month(queries):.2f}" for bill in (google, url, gateway)),
        ]
        for queries in QUERIES
    ]
    head = ["queries a month", "of them cold", "a query", "a query, Google", "Google", "function URL", "HTTP API"]
    return _table(head, rows)


def break_even(gateway: Amazon, url: Amazon, google: Google) -> str:
    """Say how many queries cost as much as the smallest server."""
    bills: dict[str, Amazon | Google] = {"the HTTP API": gateway, "the function URL": url, "Google": google}
    counts = [
        f"{(SERVER_MONTH - bill.idle()) / bill.query(QUERIES[-1]) / 1e6:.1f} million with {name}"
        for name, bill in bills.items()
    ]
    return f"The smallest server costs ${SERVER_MONTH:.2f} a month, as much as {', '.join(counts)}."


def worst_table(gateway: Amazon, url: Amazon, google: Google) -> str:
    """List what a flood of requests that lasts a month costs at most."""
    small, large = gateway.measured.warm_ms, gateway.measured.largest_ms
    limit = f"`searchConcurrency={_CONCURRENCY}`"
    rows = [
        (f"HTTP API, {_RATE} requests a second, photos as from the page", gateway.worst(_RATE, small, _CONCURRENCY)),
        (f"HTTP API, the largest photos, {limit}", gateway.worst(_RATE, large, _CONCURRENCY)),
        ("HTTP API, the largest photos, `searchConcurrency=0`", gateway.worst(_RATE, large, 0)),
        (f"function URL, photos as from the page, {limit}", url.worst(math.inf, small, _CONCURRENCY)),
        (f"function URL, the largest photos, {limit}", url.worst(math.inf, large, _CONCURRENCY)),
        (f"Google, `--max-instances {_INSTANCES}`, without $0.40 a million requests", google.worst(_INSTANCES)),
    ]
    return _table(["the worst month", "$"], [(name, f"{dollars:,.0f}") for name, dollars in rows])


def old_versions(rows: int, price: float) -> str:
    """Say what a publish a minute keeps: the generations of the last day, and their versions as long as those stay."""
    day_gb = rows * _GENERATION_BYTES * 24 * 60 / 1e9
    kept = {days: (1 + days) * day_gb for days in (1, 7)}
    price = 0.023
    return (
        "A publish a minute keeps "
        + ", ".join(
            f"{gb:,.0f} GB (${gb * price:.2f} a month) with `indexVersionDays={days}`" for days, gb in kept.items()
        )
        + "."
    )

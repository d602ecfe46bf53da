"""One function while the gallery grows: cold start, warm query, memory."""

import statistics

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.inputs import published
from scripts.benchmarks.processes import run_child
from scripts.benchmarks.results import Result
from scripts.benchmarks.stores import BUCKET, served

COLD, FAR = "cold start, index in a folder", "cold start, index on slow storage"
WARM, RESIDENT, MOST = "warm query", "resident", "most memory"
SIZES = (1_000, 10_000, 60_000, 250_000, 1_000_000)


def measure(bench: Bench) -> Result:
    """The handler with indexes of all sizes, in a folder and on storage that is as slow as in a cloud."""
    sizes = SIZES[:2] if bench.options.quick else SIZES
    result = Result("Growth")
    event = write_event(bench.work / "event.json", bench.queries[0].read_bytes())
    with served(
        "slow_store", {"folders": {f"index-{rows}": str(published(rows, bench.work)) for rows in sizes}}
    ) as store:
        for rows in sizes:
            cold, far, warm, resident, peak = [], [], [], [], []
            given = {"event": str(event), "more": 12, "weigh": True}
            for _ in range(bench.repeats(5)):
                folder = {**HANDLER, "INDEX_URI": str(published(rows, bench.work))}
                near = run_child("handler", bench.environment, given, folder)
                cold.append(near.answer_ms)
                warm.append(statistics.median(near.told["warm_ms"]))
                resident.append(near.told["resident_mb"])
                peak.append(near.told["peak_mb"])
                away = {**HANDLER, **store, "INDEX_URI": f"s3://{BUCKET}/index-{rows}"}
                far.append(run_child("handler", bench.environment, {"event": str(event)}, away).answer_ms)
            result.add(f"{rows:,} rows: {COLD}", "ms", cold)
            result.add(f"{rows:,} rows: {FAR}", "ms", far)
            result.add(f"{rows:,} rows: {WARM}", "ms", warm)
            result.add(f"{rows:,} rows: {RESIDENT}", "MB", resident)
            result.add(f"{rows:,} rows: {MOST}", "MB", peak)
    return result

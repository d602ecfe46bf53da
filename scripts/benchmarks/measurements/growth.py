"""Measure how cold start, warm query and memory grow with the gallery."""

import statistics

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.indexes import published_index
from scripts.benchmarks.results import Result
from scripts.benchmarks.storage_servers import BUCKET, serve_bucket

COLD, FAR = "cold start, index in a folder", "cold start, index on slow storage"
WARM, RESIDENT, MOST = "warm query", "resident", "most memory"
SIZES = (1_000, 10_000, 60_000, 250_000, 1_000_000)


def measure(bench: Bench) -> Result:
    """Run the handler with indexes of all sizes, in a folder and on storage as slow as a cloud's."""
    sizes = SIZES[:2] if bench.options.quick else SIZES
    result = Result("Growth")
    event = write_event(bench.work / "event.json", bench.queries[0].read_bytes())
    indexes = {rows: str(published_index(rows, bench.work)) for rows in sizes}
    folders = {f"index-{rows}": index for rows, index in indexes.items()}
    with serve_bucket("slow_store", {"folders": folders}) as store:
        for rows, index in indexes.items():
            cold, far, warm, resident, peak = [], [], [], [], []
            given = {"event": str(event), "more": 12, "weigh": True}
            for _ in range(bench.repeats(5)):
                near = run_child("handler", bench.environment, given, {**HANDLER, "INDEX_URI": index})
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

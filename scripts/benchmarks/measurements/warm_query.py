"""Measure a request to an instance that has answered before."""

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.measurements.cold_start import bare_arguments, local_files
from scripts.benchmarks.results import Result, paired


def measure(bench: Bench) -> Result:
    """Let the handler and bare calls take turns, photo by photo."""
    result = Result(f"Warm query, jpeg of 400 x 533, {bench.options.rows:,} rows")
    events = [write_event(bench.work / f"query-{file.stem}.json", file.read_bytes()) for file in bench.queries]
    given = {
        **bare_arguments(local_files(bench)),
        "photos": list(map(str, bench.queries)),
        "events": list(map(str, events)),
        "rounds": bench.repeats(15),
    }
    told = run_child("handler", bench.environment, given, {**HANDLER, "INDEX_URI": str(bench.index)}).told
    handler = result.add("handler", "ms", told["handler"])
    bare = result.add("bare decode + embed + search", "ms", told["bare"])
    result.add("  of which the search", "ms", told["search"])
    ratio = result.add("ratio, request by request", "", paired(told["handler"], told["bare"]))
    result.at_most("warm query, 400 x 533, handler / bare calls", ratio, 1.3, ours=handler, floor=bare)
    return result

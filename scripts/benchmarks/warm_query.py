"""A request to an instance that has answered before."""

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.cold_start import local_files
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.processes import run_child
from scripts.benchmarks.results import Result, paired


def measure(bench: Bench) -> Result:
    """The handler and bare calls in turns, photo by photo."""
    result = Result(f"Warm query, jpeg of 400 x 533, {bench.options.rows:,} rows")
    local = local_files(bench)
    events = [write_event(bench.work / f"query-{file.stem}.json", file.read_bytes()) for file in bench.queries]
    given = {
        "model": str(local / "model.tflite"),
        "matrix": str(local / "matrix.npy"),
        "keys": str(local / "keys.txt"),
        "photos": list(map(str, bench.queries)),
        "events": list(map(str, events)),
        "rounds": bench.repeats(15),
    }
    told = run_child("warm", bench.environment, given, {**HANDLER, "INDEX_URI": str(bench.index)}).told
    result.add("handler", "ms", told["handler"])
    result.add("bare decode + embed + search", "ms", told["bare"])
    result.add("  of it the search", "ms", told["search"])
    ratio = result.add("ratio, request by request", "", paired(told["handler"], told["bare"]))
    result.at_most("warm handler / bare", ratio, 1.3)
    return result

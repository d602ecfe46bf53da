"""Measure what products add to an index, and to a search in memory."""

from embeddings.embedder import BUNDLED_MODEL, Embedder
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.results import Result, paired


def measure(bench: Bench) -> Result:
    """Let searches with and without conditions take turns; times are those of the processor."""
    rows, dimension = bench.options.rows, Embedder(BUNDLED_MODEL).dimension
    result = Result(f"{rows:,} products: size, and searches of the top 16, processor time of one thread")
    given = {"rows": rows, "dimension": dimension, "queries": 8 if bench.options.quick else 100}
    told = run_child("products", INSTALLED, given).told
    result.add("bytes a product", "", [told["bytes"] / rows])
    result.add("memory", "MB", [told["weight_mb"]])
    result.add("opening the file", "ms", told["loads_ms"])
    times = told["times_ms"]
    without = times.pop("without")
    alone = result.add("search of an index without products", "ms", without)
    for name, each in times.items():
        ratio = result.add(f"{name} / that", "", paired(each, without))
        if name == "where 6 products match" and not bench.options.quick:
            result.at_most(f"search {name} / without products", ratio, 1.0, floor=alone)
    return result

"""Measure what products add to an index, and to a search in memory."""

from embeddings.embedder import BUNDLED_MODEL, Embedder
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.results import Result, paired

_LARGE = 1_000_000


def measure(bench: Bench) -> Result:
    """Let searches with and without conditions take turns; times are those of the processor."""
    dimension = Embedder(BUNDLED_MODEL).dimension
    result = Result("Products: size, and searches of the top 16, processor time of one thread")
    sizes = {bench.options.rows: 8 if bench.options.quick else 100}
    if not bench.options.quick:
        sizes[_LARGE] = 20
    for rows, queries in sizes.items():
        told = run_child("products", INSTALLED, {"rows": rows, "dimension": dimension, "queries": queries}).told
        result.add(f"{rows:,} products: bytes a product", "", [told["bytes"] / rows])
        result.add(f"{rows:,} products: memory", "MB", [told["weight_mb"]])
        result.add(f"{rows:,} products: opening the file", "ms", told["loads_ms"])
        times = told["times_ms"]
        without = times.pop("without")
        result.add(f"{rows:,} products: search of an index without any", "ms", without)
        for name, each in times.items():
            ratio = result.add(f"  {name} / that", "", paired(each, without))
            if name == "where 6 products match" and not bench.options.quick:
                result.at_most(f"{rows:,} products: {name} / without", ratio, 1.0)
    return result

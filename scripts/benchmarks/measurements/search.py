"""Measure exact search on one thread."""

import statistics

from embeddings.embedder import BUNDLED_MODEL, Embedder
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.results import Result, paired

_LARGE = 1_000_000


def measure(bench: Bench) -> Result:
    """Let the gallery, numpy and faiss take turns, query by query."""
    dimension = Embedder(BUNDLED_MODEL).dimension
    result = Result(f"Search, top 16 of unit vectors of dimension {dimension}, one thread")
    sizes = {bench.options.rows: 20 if bench.options.quick else 300}
    if not bench.options.quick:
        sizes[_LARGE] = 60
    for rows, queries in sizes.items():
        told = run_child("searching", INSTALLED, {"rows": rows, "dimension": dimension, "queries": queries}).told
        times, figures = told["times_ms"], {}
        for name, label in {"gallery": "this project", "numpy": "numpy, argpartition", "faiss": "faiss flat"}.items():
            if name in times:
                figures[name] = result.add(f"{rows:,} rows: {label}", "ms", times[name])
        if "faiss" in times:
            ratio = result.add(f"{rows:,} rows: ratio to faiss", "", paired(times["gallery"], times["faiss"]))
            compared = {"ours": figures["gallery"], "peer": figures["faiss"]}
            result.at_most(f"search of {rows:,} rows / faiss flat", ratio, 0.5, **compared)
        elif not result.notes:
            result.notes.append("faiss-cpu is not installed, so it was not measured")
        result.at_least(
            f"search of {rows:,} rows: top 16 in common with float64", statistics.mean(told["overlaps"]), 0.995
        )
    return result

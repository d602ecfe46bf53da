"""Search: the gallery of this project, plain numpy and faiss in turns, each on one thread."""

import json
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.gallery import Gallery
from scripts.benchmarks.inputs import clustered, gallery_keys

try:
    faiss: Any = import_module("faiss")
except ImportError:
    faiss = None

given = json.loads(sys.argv[1])
rows, dimension = given["rows"], given["dimension"]
queries = next(clustered(given["queries"], dimension, seed=1))
plain = np.empty((rows, dimension), np.float32)
stored = np.empty((rows, dimension), np.float16)
best_scores, best_rows = [], []
start = 0
for block in clustered(rows, dimension):
    stop = start + len(block)
    plain[start:stop], stored[start:stop] = block, block
    scores = queries.astype(np.float64) @ block.astype(np.float64).T
    top = np.argsort(-scores, axis=1)[:, :16]
    best_rows.append(top + start)
    best_scores.append(np.take_along_axis(scores, top, axis=1))
    start = stop
order = np.argsort(-np.concatenate(best_scores, axis=1), axis=1)[:, :16]
exact = np.take_along_axis(np.concatenate(best_rows, axis=1), order, axis=1)

keys = gallery_keys(rows)
gallery = Gallery(stored, keys)  # rounded to float16, as it is stored


def by_numpy(query: NDArray[np.float32]) -> NDArray[np.intp]:
    """As one writes it with numpy alone."""
    scores = plain @ query
    best = np.argpartition(scores, -16)[-16:]
    ranked: NDArray[np.intp] = best[np.argsort(-scores[best])]
    return ranked


ways: dict[str, Any] = {"gallery": gallery.search, "numpy": by_numpy}
if faiss is not None:
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(dimension)
    flat.add(plain)
    ways["faiss"] = lambda query: flat.search(query[np.newaxis], 16)
times: dict[str, list[float]] = {name: [] for name in ways}
overlaps = []
for search in ways.values():
    search(queries[0])
for number, query in enumerate(queries):
    names = list(ways)
    for name in names[number % len(names) :] + names[: number % len(names)]:  # none is always the first
        began = time.perf_counter()
        answer = ways[name](query)
        times[name].append(1000 * (time.perf_counter() - began))
        if name == "gallery":
            overlaps.append(len({keys[row] for row in exact[number]} & {each.key for each in answer}) / 16)
print(json.dumps({"times": times, "overlaps": overlaps, "version": getattr(faiss, "__version__", None)}))

"""Exact search by this project's gallery, plain numpy and faiss in turns, each on one thread."""

import json
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.gallery import Gallery
from scripts.benchmarks.indexes import clustered_vectors, gallery_keys

try:
    faiss: Any = import_module("faiss")
except ImportError:
    faiss = None

given = json.loads(sys.argv[1])
rows, dimension = given["rows"], given["dimension"]
queries = next(clustered_vectors(given["queries"], dimension, seed=1))
plain = np.empty((rows, dimension), np.float32)
stored = np.empty((rows, dimension), np.float16)
best_scores, best_rows = [], []
start = 0
for block in clustered_vectors(rows, dimension):
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
gallery = Gallery(stored, keys)  # rounded to float16, as an index stores it


def search_by_numpy(query: NDArray[np.float32]) -> NDArray[np.intp]:
    """Search as one writes it with numpy alone; return the best rows."""
    scores = plain @ query
    best = np.argpartition(scores, -16)[-16:]
    ranked: NDArray[np.intp] = best[np.argsort(-scores[best])]
    return ranked


searches: dict[str, Any] = {"gallery": gallery.search, "numpy": search_by_numpy}
if faiss is not None:
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(dimension)
    flat.add(plain)
    searches["faiss"] = lambda query: flat.search(query[np.newaxis], 16)
times_ms: dict[str, list[float]] = {name: [] for name in searches}
overlaps = []
for search in searches.values():
    search(queries[0])
for number, query in enumerate(queries):
    names = list(searches)
    for name in names[number % len(names) :] + names[: number % len(names)]:  # each is first equally often
        began = time.perf_counter()
        answer = searches[name](query)
        times_ms[name].append(1000 * (time.perf_counter() - began))
        if name == "gallery":
            overlaps.append(len({keys[row] for row in exact[number]} & {each.key for each in answer}) / 16)
print(json.dumps({"times_ms": times_ms, "overlaps": overlaps}))

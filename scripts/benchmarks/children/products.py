"""Warm searches with and without filters, groups and facets in turns, and what products weigh."""

import json
import sys
import time
from typing import Any

import numpy as np

from embeddings.gallery import Gallery
from embeddings.products.columns import Columns, pack_columns
from embeddings.products.where import parse_where
from scripts.benchmarks.indexes import clustered_vectors, gallery_keys
from scripts.benchmarks.process_memory import resident_mb
from scripts.benchmarks.products import RARE, SOME, invented_products

given = json.loads(sys.argv[1])
rows, dimension = given["rows"], given["dimension"]
packed = pack_columns(invented_products(rows))
before = resident_mb()
content = bytes(bytearray(packed))  # a copy, as it comes from storage
columns = Columns.read(content)
columns.product(0)
columns.groups  # noqa: B018 - made on first use
weight_mb = resident_mb() - before
loads_ms = []
for _ in range(20):
    began = time.thread_time()
    Columns.read(content)
    loads_ms.append(1000 * (time.thread_time() - began))

vectors = np.concatenate([block.astype(np.float16) for block in clustered_vectors(rows, dimension)])  # as stored
queries = next(clustered_vectors(given["queries"], dimension, seed=1))
keys = gallery_keys(rows)
gallery, plain = Gallery(vectors, keys, columns), Gallery(vectors, keys)
chosen: dict[str, dict[str, Any]] = {
    "with all columns": {"fields": None},
    "where 100 % match": {"where": parse_where(["any:yes"], columns.summaries)},
    "where 1 % match": {"where": parse_where([SOME], columns.summaries)},
    "where 6 products match": {"where": parse_where([RARE], columns.summaries)},
    "group": {"group": True},
    "facets brand,color,price": {"facets": ["brand", "color", "price"]},
    "group and facets": {"group": True, "facets": ["brand", "color", "price"]},
}
times_ms: dict[str, list[float]] = {"without": [], **{name: [] for name in chosen}}
for number, query in enumerate(queries):
    names = list(times_ms)
    for name in names[number % len(names) :] + names[: number % len(names)]:  # each is first equally often
        began = time.thread_time()
        (gallery if name in chosen else plain).search(query, **chosen.get(name, {}))
        times_ms[name].append(1000 * (time.thread_time() - began))
told = {"bytes": len(packed), "weight_mb": max(weight_mb, 0.01), "loads_ms": loads_ms, "times_ms": times_ms}
print(json.dumps(told))

"""One shard of a run with vectors made up: all but the embedding is real; tells its seconds and the most memory."""

import json
import sys
import time
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from embeddings.embedder import Embedder
from embeddings.rebuild import Shard, job, rebuild
from embeddings.storage.objects import ObjectInfo
from scripts.benchmarks.children.weight import peak_mb
from scripts.benchmarks.inputs import clustered

given = json.loads(sys.argv[1])
shard = Shard.parse(given["shard"])


def made_up(objects: Sequence[ObjectInfo], _gallery: Any, embedder: Embedder, _limits: Any) -> Generator[Any]:
    """In place of `embed_all` of `embeddings.rebuild.pipeline`."""
    rows = (row for block in clustered(len(objects), embedder.dimension, shard.number) for row in block)
    for each, row in zip(objects, rows, strict=True):
        yield each, row.astype(np.float16)


job.embed_all = made_up  # type: ignore[assignment,attr-defined]
began = time.perf_counter()
summary = rebuild(given["gallery"], given["index"], run=given["run"], shard=shard)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "outcome": summary.outcome.name, "count": summary.count}))

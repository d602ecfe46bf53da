"""One rebuild, one shard of a run, or the merge of a run; tells its seconds and its peak memory.

With `invented_vectors`, all but the embedding is real.
"""

import json
import sys
import time
from collections.abc import Generator, Sequence
from typing import Any

from embeddings.rebuild import Shard, rebuild
from scripts.benchmarks.process_memory import peak_mb


def invent_vectors(seed: int) -> None:
    """Replace the embedding in this process."""
    # Imported here: a measured rebuild needs none of them.
    from unittest.mock import patch

    import numpy as np

    from embeddings.rebuild.checkpoint import Described
    from scripts.benchmarks.indexes import clustered_vectors

    def embed_all(objects: Sequence[Any], _gallery: Any, embedder: Any, _limits: Any) -> Generator[Any]:
        rows = (row for block in clustered_vectors(len(objects), embedder.dimension, seed) for row in block)
        for each, row in zip(objects, rows, strict=True):
            yield each, Described(row.astype(np.float16))

    patch("embeddings.rebuild.job.embed_all", embed_all).start()


given = json.loads(sys.argv[1])
shard = Shard.parse(given["shard"]) if "shard" in given else None
if given.get("invented_vectors"):
    invent_vectors(shard.number if shard else 0)
began = time.perf_counter()
summary = rebuild(given["gallery"], given["index"], run=given.get("run"), shard=shard)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "outcome": summary.outcome.name, "count": summary.count}))

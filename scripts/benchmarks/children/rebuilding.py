"""One rebuild, or the merge of a run of shards; tells its seconds and the most memory it had."""

import json
import sys
import time

from embeddings.rebuild import rebuild
from scripts.benchmarks.children.weight import peak_mb

given = json.loads(sys.argv[1])
began = time.perf_counter()
summary = rebuild(given["gallery"], given["index"], run=given.get("run"))
seconds = time.perf_counter() - began
told = {"seconds": seconds, "peak_mb": peak_mb(), "outcome": summary.outcome.name, "count": summary.count}
print(json.dumps(told))

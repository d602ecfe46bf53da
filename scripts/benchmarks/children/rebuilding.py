"""One rebuild, or the merge of a run of shards; tells its seconds and the most memory it had."""

import json
import resource
import sys
import time

from embeddings.rebuild import rebuild

given = json.loads(sys.argv[1])
began = time.perf_counter()
summary = rebuild(given["gallery"], given["index"], run=given.get("run"))
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e3 if sys.platform == "linux" else 1e6)
told = {"seconds": seconds, "peak_mb": peak, "outcome": summary.outcome.name, "count": summary.count}
print(json.dumps(told))

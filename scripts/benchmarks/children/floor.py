"""Cold start's floor: interpreter, imports and one query by bare calls, with local files."""

import json
import sys
import time

from scripts.benchmarks.children.bare import Bare

given = json.loads(sys.argv[1])
bare = Bare(given["model"])
bare.load(given["matrix"], given["keys"])
answer = bare.search(bare.embed(given["photo"]))
print(json.dumps({"answered": time.monotonic(), "first": answer[0]}))

"""Decode and embed photos one after the other by bare calls; tells the seconds a photo."""

import json
import sys
import time

from scripts.benchmarks.children.bare import Bare

given = json.loads(sys.argv[1])
bare = Bare(given["model"])
bare.embed(given["photos"][0])
began = time.perf_counter()
for photo in given["photos"]:
    bare.embed(photo)
print(json.dumps({"seconds": (time.perf_counter() - began) / len(given["photos"])}))

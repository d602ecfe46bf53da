"""Decode and embed photos one after the other by bare calls; tells the seconds a photo."""

import json
import sys
import time
from pathlib import Path

from scripts.benchmarks.children.bare import Bare

given = json.loads(sys.argv[1])
bare = Bare(given["model"])
photos = list(map(str, sorted(Path(given["gallery"]).iterdir())[slice(*given["slice"])]))
bare.embed(photos[0])
began = time.perf_counter()
for photo in photos:
    bare.embed(photo)
print(json.dumps({"seconds": (time.perf_counter() - began) / len(photos)}))

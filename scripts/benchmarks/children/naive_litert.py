"""The same function with a small runtime but no care: boto3, one object after the other, a float32 gallery."""

import json
import sys
import time
from pathlib import Path

import boto3

from scripts.benchmarks.children.bare import Bare

given = json.loads(sys.argv[1])
folder = Path(given["folder"])
s3 = boto3.client("s3")
for name in ("model.tflite", "matrix.npy", "keys.txt"):
    s3.download_file(given["bucket"], f"careless/{name}", str(folder / name))
bare = Bare(str(folder / "model.tflite"))
bare.load(str(folder / "matrix.npy"), str(folder / "keys.txt"))
answer = bare.search(bare.embed(given["photo"]))
print(json.dumps({"answered": time.monotonic(), "first": answer[0]}))

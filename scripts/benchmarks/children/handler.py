"""The Lambda handler as deployed: one request, then more, then what the process weighs."""

import json
import sys
import time
from typing import Any

from scripts.benchmarks.children.asking import ask, read_event
from scripts.benchmarks.children.weight import megabytes, peak_mb

given = json.loads(sys.argv[1])
event = read_event(given["event"])

answer = ask(event)
told: dict[str, Any] = {"answered": time.monotonic(), "first": json.loads(answer["body"])["results"][0]["key"]}
told["warm_ms"] = []
for _ in range(given.get("more", 0)):
    began = time.perf_counter()
    ask(event)
    told["warm_ms"].append(1000 * (time.perf_counter() - began))
if given.get("weigh"):
    told |= {"resident_mb": megabytes("VmRSS"), "peak_mb": peak_mb()}
if "large" in given:
    ask(read_event(given["large"]))
    told["large_peak_mb"] = peak_mb()
print(json.dumps(told))

"""Warm queries: the handler and bare calls in turns, in one process."""

import json
import sys
import time

from scripts.benchmarks.children.asking import ask, read_event
from scripts.benchmarks.children.bare import Bare

given = json.loads(sys.argv[1])
bare = Bare(given["model"])
bare.load(given["matrix"], given["keys"])
events = [read_event(path) for path in given["events"]]
times: dict[str, list[float]] = {"handler": [], "bare": [], "search": []}
for turn in range(given["rounds"] + 1):
    for event, photo in zip(events, given["photos"], strict=True):
        began = time.perf_counter()
        ask(event)
        handled = time.perf_counter()
        vector = bare.embed(photo)
        embedded = time.perf_counter()
        bare.search(vector)
        ended = time.perf_counter()
        if turn:  # the first is no warm one
            times["handler"].append(1000 * (handled - began))
            times["bare"].append(1000 * (ended - handled))
            times["search"].append(1000 * (ended - embedded))
print(json.dumps(times))

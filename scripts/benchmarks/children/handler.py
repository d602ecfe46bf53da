"""The Lambda handler as deployed: a first request, then warm ones, then the memory of the process.

Arguments: `event`, the file of a request; `more`, how many warm requests follow; `weigh`, whether to tell the memory;
`large`, the file of a request with a large photo. With `events` instead, the handler and bare calls take turns.
"""

import io
import json
import sys
import time
from contextlib import redirect_stdout
from typing import Any

import functions.aws
from scripts.benchmarks.process_memory import peak_mb, resident_mb


def ask(event: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Send one request and drop its log line; return the answer and its milliseconds. A failure ends the process."""
    with redirect_stdout(io.StringIO()):
        began = time.perf_counter()
        answer = functions.aws.search(event, None)
        milliseconds = 1000 * (time.perf_counter() - began)
    if answer["statusCode"] != 200:
        sys.exit(f"the handler answered {answer}")
    return answer, milliseconds


def read_event(path: str) -> dict[str, Any]:
    """Read a request stored as JSON."""
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))


def answer_alone(given: dict[str, Any]) -> dict[str, Any]:
    """Answer the first request of this process, then the others."""
    event = read_event(given["event"])
    answer, first_ms = ask(event)
    told: dict[str, Any] = {"answered": time.monotonic(), "first_ms": first_ms}
    told["first"] = json.loads(answer["body"])["results"][0]["key"]
    told["warm_ms"] = [ask(event)[1] for _ in range(given.get("more", 0))]
    if given.get("weigh"):
        told |= {"resident_mb": resident_mb(), "peak_mb": peak_mb()}
    if "large" in given:
        told["large_ms"] = ask(read_event(given["large"]))[1]
        told["large_peak_mb"] = peak_mb()
    return told


def answer_in_turns(given: dict[str, Any]) -> dict[str, list[float]]:
    """Answer each photo by the handler and then by bare calls, round after round."""
    from scripts.benchmarks.bare_calls import BareCalls  # here, because a cold start must not wait for it

    bare = BareCalls(given["model"])
    bare.load(given["matrix"], given["keys"])
    events = [read_event(path) for path in given["events"]]
    times: dict[str, list[float]] = {"handler": [], "bare": [], "search": []}
    for turn in range(given["rounds"] + 1):
        for event, photo in zip(events, given["photos"], strict=True):
            _, handler_ms = ask(event)
            began = time.perf_counter()
            vector = bare.embed(photo)
            embedded = time.perf_counter()
            bare.search(vector)
            ended = time.perf_counter()
            if turn:  # the first round is not warm
                times["handler"].append(handler_ms)
                times["bare"].append(1000 * (ended - began))
                times["search"].append(1000 * (ended - embedded))
    return times


given = json.loads(sys.argv[1])
print(json.dumps(answer_in_turns(given) if "events" in given else answer_alone(given)))

"""One instance of a Lambda function: events come in as lines, answers go out as lines.

    _HANDLER=functions.aws.reindex python function.py FOLDER ...

The folders are what Lambda puts on the path. Needs the standard library alone: it runs with the packaged code's Python.
"""

import importlib
import json
import os
import sys
import time
import traceback


class Context:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(1000 * (self._end - time.monotonic())))


def main() -> None:
    sys.path[:0] = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the function prints is its log
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": handler(asked["event"], Context(asked["seconds"]))}
        except Exception as error:  # noqa: BLE001 - Lambda reports any
            traceback.print_exc()
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

"""Lambda's runtime: a process that forks an instance of a function for each connection.

    python function.py SOCKET FOLDER ...

The folders are what Lambda puts on the path. It prints a line once it listens. The first line to an instance names its
log and its environment; then events come in as lines, and answers go out as lines. Libraries are imported once, before
the forks; the functions are imported by each instance. Needs the standard library alone: it runs with the packaged
code's Python.
"""

import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback

LIBRARIES = (
    *("numpy", "PIL.Image", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin"),
    *("ai_edge_litert.interpreter", "apig_wsgi", "boto3.session", "multipart", "obstore"),
)


class Context:
    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(1000 * (self._end - time.monotonic())))


def main() -> None:
    address, *folders = sys.argv[1:]
    sys.path[:0] = folders
    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no instance stays as a zombie
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                serve(connection)
                return
            connection.close()


def serve(connection: socket.socket) -> None:
    """Be an instance, until the other side closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lines = connection.makefile("rw")
    asked = json.loads(lines.readline())
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)  # what the function prints is its log
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    print(os.getpid(), file=lines, flush=True)
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in lines:
        asked = json.loads(line)
        try:
            answer = {"answer": handler(asked["event"], Context(asked["seconds"]))}
        except Exception as error:  # noqa: BLE001 - Lambda reports any
            traceback.print_exc()
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        print(json.dumps(answer), file=lines, flush=True)


if __name__ == "__main__":
    main()

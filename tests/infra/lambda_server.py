"""A stand-in for Lambda: takes invocations over HTTP and hands each one to the process of a real function."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote

from tests.deployed.instance import LAMBDA_SECONDS, FunctionError, Instance

Fault = Literal["throttled", "killed", "out of time"]
_NO_TIME = 0.001
_FAILED = {"X-Amz-Function-Error": "Unhandled"}


class LambdaServer:
    """One function. Each instance takes one invocation at a time; a new one starts when all are busy."""

    def __init__(self, start: Callable[[], AbstractContextManager[Instance]]) -> None:
        self.faults: dict[str, list[Fault]] = {}
        """Faults that the next invocations for a shard meet; those for the merge have the key ""."""
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        """The function's name and the payload of each invocation."""
        self.most_at_once = 0
        self._start = start
        self._idle: list[Instance] = []
        self._at_work = 0
        self._lock = threading.Lock()
        self._running = ExitStack()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"server_of": self}))
        self.port = self._http.server_address[1]

    @contextmanager
    def serving(self) -> Iterator["LambdaServer"]:
        """Listen until the end of the context, and stop the instances with it."""
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with self._running:
            yield self
            self._http.shutdown()
            self._http.server_close()

    def answer(self, name: str, payload: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Invoke the function; return status, headers and body."""
        with self._lock:
            self.invoked.append((name, payload))
            faults = self.faults.get(payload.get("shard", ""), [])
            fault = faults.pop(0) if faults else None
            if fault == "throttled":
                return 429, {"x-amzn-ErrorType": "TooManyRequestsException"}, {"message": "Rate Exceeded."}
            self._at_work += 1
            self.most_at_once = max(self.most_at_once, self._at_work)
            instance = self._idle.pop() if self._idle else self._running.enter_context(self._start())
        try:
            if fault == "killed":
                _kill_at_work(instance, payload)
                return 200, _FAILED, {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}
            answer = instance.invoke(payload, _NO_TIME if fault == "out of time" else LAMBDA_SECONDS)
        except FunctionError as error:
            kind, _, message = str(error).partition(": ")
            return 200, _FAILED, {"errorType": kind, "errorMessage": message}
        else:
            return 200, {}, answer
        finally:
            with self._lock:
                self._at_work -= 1
                if fault != "killed":
                    self._idle.append(instance)


def _kill_at_work(instance: Instance, payload: dict[str, Any]) -> None:
    instance.send(payload)
    time.sleep(0.3)  # wherever it is then
    instance.kill()


class _Handler(BaseHTTPRequestHandler):
    server_of: LambdaServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = unquote(self.path.removeprefix("/2015-03-31/functions/").removesuffix("/invocations"))
        status, headers, body = self.server_of.answer(name, payload)
        content = json.dumps(body).encode()
        self.send_response(status)
        for header, value in {"x-amzn-RequestId": secrets.token_hex(16), **headers}.items():
            self.send_header(header, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass

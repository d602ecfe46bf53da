"""Run the search function on this machine under functions-framework, as on Google Cloud."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
"""The default: only this machine reaches it."""
START_SECONDS = 60


class ServiceStartError(Exception):
    """The service did not start; the message ends with the last line of its log."""


@contextmanager
def serve_functions(
    port: int, settings: Mapping[str, str], log: Path, host: str = HOST
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the `search` target, wait until it answers, and stop it on leaving the context.

    Args:
        port: the port to listen on.
        settings: environment variables of the functions, such as `INDEX_URI`.
        log: the file for its output.
        host: the address to listen on.

    Raises:
        ServiceStartError: the service ended, or did not answer for a minute.
    """
    command = [sys.executable, "-m", "functions_framework", "--source", str(ROOT / "functions" / "main.py")]
    command += ["--target", "search", "--host", host, "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    with log.open("wb") as output:
        # In a session of its own, the service does not get Ctrl-C: this process stops it in order.
        service = subprocess.Popen(  # noqa: S603 - our own functions
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_for_answer(service, port, log, host)
            yield service
        finally:
            _stop(service)


def last_line(log: Path) -> str:
    """Return the last line of a log, for an error message."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "(the log is empty)"


def _wait_for_answer(service: "subprocess.Popen[bytes]", port: int, log: Path, host: str = HOST) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise ServiceStartError(f"the service did not start: {last_line(log)}")
        connection = HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise ServiceStartError(f"the service did not answer within {START_SECONDS} seconds: {last_line(log)}")


def _stop(service: "subprocess.Popen[bytes]") -> None:
    service.terminate()
    try:
        service.wait(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(service.pid, signal.SIGKILL)  # with its workers
        service.wait()

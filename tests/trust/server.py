"""The server from outside: what its worker uses of the machine, and what a client can send byte by byte."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.local.service import ROOT, _stop, _wait_for_answer
from tests.functions.conftest import Service

_PAGE_BYTES = 4096


class Usage(NamedTuple):
    """What a process uses."""

    memory: int
    """Resident, in bytes."""
    files: int
    threads: int


def worker(service: Service) -> int:
    """Return the id of the process that answers."""
    (child,) = Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()
    return int(child)


def usage(pid: int) -> Usage:
    folder = Path(f"/proc/{pid}")
    resident = int((folder / "statm").read_text().split()[1])
    return Usage(resident * _PAGE_BYTES, len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())))


@contextmanager
def serve_impatient(log: Path, **settings: str) -> Iterator[Service]:
    """Serve with a second for an upload instead of a minute, and a second for reading the answer."""
    code = (
        "from functions.search import body; body.UPLOAD_SECONDS, body.HURRY_SECONDS = 1.0, 0.3; "
        "import functions.main; functions.main.SENDING_SECONDS = 1.0; "
        "from functions_framework._cli import _cli; _cli()"
    )
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", code, "--source", str(ROOT / "infra" / "gcp" / "main.py"), "--target", "search"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FUNCTION_TARGET": "search", **settings}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_for_answer(process, port, log)
            yield Service(port, process.pid, log)
        finally:
            _stop(process)


@contextmanager
def connected(service: Service, *, seconds: float = 10) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), timeout=seconds) as connection:
        yield connection


def head(length: int | str, path: str = "/v1/search", content_type: str = "image/jpeg", more: str = "") -> bytes:
    """Make the beginning of an upload's request."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {content_type}", f"Content-Length: {length}", more]
    return "\r\n".join([*filter(None, lines), "", ""]).encode()


def answer(connection: socket.socket) -> bytes:
    """Receive until the answer is complete, the server closes, or nothing more comes."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
            if b"\r\n\r\n" in received:
                body = received.partition(b"\r\n\r\n")[2]
                length = next(
                    (int(line[15:]) for line in received.split(b"\r\n") if line.lower().startswith(b"content-length:")),
                    0,
                )
                if len(body) >= length:
                    break
    except TimeoutError:
        pass
    return received

"""Start and call instances of Lambda functions."""

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

FUNCTION = Path(__file__).with_name("function.py")
LAMBDA_SECONDS = 900


class FunctionError(Exception):
    """The handler raised."""


@dataclass(frozen=True)
class Instance:
    """A process with one function."""

    pid: int
    log: Path
    _lines: TextIO

    def send(self, event: Mapping[str, Any], seconds: float = LAMBDA_SECONDS) -> None:
        """Invoke the function without waiting for its answer."""
        self._lines.write(json.dumps({"event": event, "seconds": seconds}) + "\n")
        self._lines.flush()

    def invoke(self, event: Mapping[str, Any], seconds: float = LAMBDA_SECONDS) -> Any:
        """Return the handler's answer. Raises FunctionError if it raised."""
        self.send(event, seconds)
        line = self._lines.readline()
        assert line, f"the process died: {self.log.read_text()}"
        answer = json.loads(line)
        if "answer" not in answer:
            raise FunctionError(f"{answer['errorType']}: {answer['errorMessage']}")
        return answer["answer"]

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        _read_to_the_end(self._lines)

    def records(self) -> list[dict[str, Any]]:
        """What it logged."""
        # LiteRT writes a line of its own, and errors have their stack.
        return [json.loads(line) for line in self.log.read_text().split("\n") if line.startswith("{")]

    def rebuilds(self) -> list[dict[str, Any]]:
        return [each for each in self.records() if each["message"] == "rebuild"]


@dataclass(frozen=True)
class Runtime:
    """Starts instances of one deployed code, each with an environment of its own."""

    _address: str

    @contextmanager
    def started(self, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[Instance]:
        """An instance with this environment and nothing of this process's."""
        name = {"_HANDLER": f"functions.aws.{handler}", "AWS_LAMBDA_FUNCTION_NAME": handler}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._address)
            lines = connection.makefile("rw")
            print(json.dumps({"log": str(log), "environment": {**environment, **name}}), file=lines, flush=True)
            yield Instance(int(lines.readline()), log, lines)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(100)
            _read_to_the_end(lines)


@contextmanager
def runtime(python: tuple[str, ...], folders: tuple[Path, ...]) -> Iterator[Runtime]:
    """A runtime of this Python, with the folders that Lambda puts on its path."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/socket"
        command = [*python, str(FUNCTION), address, *map(str, folders)]
        with subprocess.Popen(command, env={"OPENBLAS_NUM_THREADS": "1"}, cwd="/", stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield Runtime(address)
            process.terminate()


def _read_to_the_end(lines: TextIO) -> None:
    """Wait until the process at the other end is gone."""
    with suppress(ConnectionResetError):  # it has left something unread
        lines.read()

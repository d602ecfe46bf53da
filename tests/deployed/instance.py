"""Start and call instances of Lambda functions."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FUNCTION = Path(__file__).with_name("function.py")
LAMBDA_SECONDS = 900


class FunctionError(Exception):
    """The handler raised."""


@dataclass(frozen=True)
class Code:
    """What is deployed: the Python that runs it, and the folders that Lambda puts on its path."""

    python: tuple[str, ...]
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Instance:
    process: "subprocess.Popen[str]"
    log: Path

    def invoke(self, event: Mapping[str, Any], seconds: float = LAMBDA_SECONDS) -> Any:
        """The handler's answer. Raises FunctionError if it raised."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"event": event, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the process died: {self.log.read_text()}"
        answer = json.loads(line)
        if "answer" not in answer:
            raise FunctionError(f"{answer['errorType']}: {answer['errorMessage']}")
        return answer["answer"]

    def records(self) -> list[dict[str, Any]]:
        """What it logged."""
        # LiteRT writes a line of its own, and errors have their stack.
        return [json.loads(line) for line in self.log.read_text().split("\n") if line.startswith("{")]

    def rebuilds(self) -> list[dict[str, Any]]:
        return [each for each in self.records() if each["message"] == "rebuild"]


@contextmanager
def started(code: Code, handler: str, environment: Mapping[str, str], log: Path) -> Iterator[Instance]:
    """An instance with this environment and nothing of this process's."""
    command = [*code.python, str(FUNCTION), *map(str, code.folders)]
    environment = {**environment, "_HANDLER": f"functions.aws.{handler}", "AWS_LAMBDA_FUNCTION_NAME": handler}
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, env=environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output, text=True
        ) as process,
    ):
        yield Instance(process, log)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)

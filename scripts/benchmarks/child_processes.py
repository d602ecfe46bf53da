"""Run the scripts in `children/` in fresh processes."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks.child_environment import Environment

_CHILDREN = Path(__file__).with_name("children")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ChildError(Exception):
    """A child process failed; the message ends with what it printed last."""


@dataclass(frozen=True)
class ChildRun:
    """What one child process told, and what it took."""

    told: dict[str, Any]
    """The last line it printed, parsed."""
    answer_ms: float
    """From its start to `told["answered"]`, a `time.monotonic()`, or else to its end."""
    cpu_ms: float
    """Processor time of all its threads, from start to end."""


def run_child(
    name: str, environment: Environment, arguments: Mapping[str, Any], variables: Mapping[str, str] | None = None
) -> ChildRun:
    """Run `children/<name>.py` to its end.

    Args:
        name: of the script.
        environment: the interpreter, and where its imports come from.
        arguments: handed over as JSON.
        variables: environment variables; of this process's own, only PATH is passed on.

    Raises:
        ChildError: the child failed.
    """
    command = child_command(name, environment, arguments)
    clean = {"PATH": os.environ.get("PATH", ""), **_ONE_THREAD, "PYTHONPATH": environment.path, **(variables or {})}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        child = subprocess.Popen(command, env=clean, stdout=output, stderr=errors)  # noqa: S603 - our own scripts
        _, status, usage = os.wait4(child.pid, 0)
        ended = time.monotonic()
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode:
            raise ChildError(
                f"{name}.py ended with {child.returncode}: {errors.read().decode(errors='replace')[-2000:]}"
            )
        told = json.loads(output.read().splitlines()[-1])
    answer_ms = 1000 * (told.get("answered", ended) - began)
    return ChildRun(told, answer_ms, 1000 * (usage.ru_utime + usage.ru_stime))


def child_command(name: str, environment: Environment, arguments: Mapping[str, Any]) -> list[str]:
    """Return the command line that runs `children/<name>.py`."""
    return [*environment.command, str(_CHILDREN / f"{name}.py"), json.dumps(arguments)]

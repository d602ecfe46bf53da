"""Children: each measurement that a fresh process is for runs one of the scripts in `children`."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks.environment import Environment

_CHILDREN = Path(__file__).with_name("children")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ChildError(Exception):
    """A child failed; the message has its last words."""


@dataclass(frozen=True)
class Run:
    """One child's life."""

    told: dict[str, Any]
    """The last line it printed."""
    answer_ms: float
    """From its start until `answered`, a `time.monotonic()` that it tells; else until its end."""
    cpu_ms: float
    """Of all its threads, its end included."""


def run_child(
    name: str, environment: Environment, arguments: Mapping[str, Any], variables: Mapping[str, str] | None = None
) -> Run:
    """Run `children/<name>.py` to its end.

    Args:
        name: of the script.
        environment: where its imports come from.
        arguments: handed over as JSON.
        variables: of the process's environment; nothing of this one's but PATH is passed on.

    Raises:
        ChildError: it failed.
    """
    command = [*environment.command, str(_CHILDREN / f"{name}.py"), json.dumps(arguments)]
    clean = {"PATH": os.environ.get("PATH", ""), **ONE_THREAD, "PYTHONPATH": environment.path, **(variables or {})}
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
    return Run(told, answer_ms, 1000 * (usage.ru_utime + usage.ru_stime))

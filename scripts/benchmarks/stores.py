"""Storage servers on loopback, in processes of their own: in this one they would share its interpreter's lock."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.benchmarks.environment import INSTALLED
from scripts.benchmarks.processes import ChildError

_CHILDREN = Path(__file__).with_name("children")
BUCKET = "bench"


@contextmanager
def served(name: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Start `children/<name>.py`; gives the environment variables that lead clients to it.

    Raises:
        ChildError: it did not start.
    """
    command = [*INSTALLED.command, str(_CHILDREN / f"{name}.py"), json.dumps(arguments)]
    server = subprocess.Popen(  # noqa: S603 - our own scripts
        command,
        env={**os.environ, "PYTHONPATH": INSTALLED.path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if server.stdin is None or server.stdout is None:
        raise ChildError("no pipes")
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise ChildError(f"{name}.py did not start")
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()

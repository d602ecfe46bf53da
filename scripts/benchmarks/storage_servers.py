"""S3 servers on loopback, in processes of their own so that they do not share this interpreter's lock."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import ChildError, child_command

BUCKET = "bench"


@contextmanager
def serve_bucket(name: str, arguments: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Start `children/<name>.py` and yield the environment variables that lead S3 clients to it.

    Raises:
        ChildError: the server did not start.
    """
    server = subprocess.Popen(  # noqa: S603 - our own scripts
        child_command(name, INSTALLED, arguments),
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

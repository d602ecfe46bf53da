"""Requests to the Lambda handler in this process."""

import io
import json
import sys
from contextlib import redirect_stdout
from typing import Any

import functions.aws


def ask(event: dict[str, Any]) -> dict[str, Any]:
    """One request, its log line thrown away; a failed one ends the process."""
    with redirect_stdout(io.StringIO()):
        answer = functions.aws.search(event, None)
    if answer["statusCode"] != 200:
        sys.exit(f"the handler answered {answer}")
    return answer


def read_event(path: str) -> dict[str, Any]:
    """An event that was stored as JSON."""
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))

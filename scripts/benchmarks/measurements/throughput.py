"""Measure how many answers a second one warm instance gives behind functions-framework and gunicorn."""

import socket
from typing import Any

import numpy as np

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.http_api_event import HANDLER
from scripts.benchmarks.results import Result
from scripts.local.service import serve_functions

_CLIENTS = 8
_CHOSEN = "THREADS=11"
_SETTINGS = {
    "THREADS=4": {"THREADS": "4"},
    _CHOSEN: {"THREADS": "11"},
    "WORKERS=2, THREADS=6": {"WORKERS": "2", "THREADS": "6"},
}


def measure(bench: Bench) -> Result:
    """Try several settings of the server with eight clients, and the chosen setting with fewer and more clients."""
    result = Result(f"Throughput of one instance, jpeg of 400 x 533, {bench.options.rows:,} rows")
    settings = {_CHOSEN: _SETTINGS[_CHOSEN]} if bench.options.quick else _SETTINGS
    failed = refused = 0
    for name, chosen in settings.items():
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        variables = {**HANDLER, "INDEX_URI": str(bench.index), **chosen}
        del variables["AWS_LAMBDA_FUNCTION_NAME"]
        with serve_functions(port, variables, bench.work / "service.log"):
            _call(bench, port, 2)  # until it is warm
            for clients in (1, 2, _CLIENTS, 16) if name == _CHOSEN else (_CLIENTS,):
                told = _call(bench, port, clients)
                _record(result, f"{name}, {clients} at once", told)
                failed += len(told["errors"])
                if name == _CHOSEN and clients <= _CLIENTS:
                    refused += told["refused"]
    result.at_most("requests that failed", failed, 0)
    result.at_most(f"requests refused by {_CHOSEN} with up to {_CLIENTS} at once", refused, 0)
    return result


def _call(bench: Bench, port: int, clients: int) -> dict[str, Any]:
    seconds = 1 if bench.options.quick else 5
    given = {"port": port, "clients": clients, "seconds": seconds, "photos": list(map(str, bench.queries))}
    return run_child("clients", INSTALLED, given).told


def _record(result: Result, name: str, told: dict[str, Any]) -> None:
    result.add(f"{name}: answers/s", "", [len(told["times_ms"]) / told["seconds"]])
    for percent in (50, 95, 99):
        result.add(f"{name}: p{percent}", "ms", [float(np.percentile(told["times_ms"], percent))])
    if told["refused"]:
        result.notes.append(f"{name}: {told['refused']} refused as too many")
    if told["errors"]:
        result.notes.append(f"{name}: {len(told['errors'])} failed, the first with {told['errors'][0]}")

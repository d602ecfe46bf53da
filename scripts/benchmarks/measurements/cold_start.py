"""Measure the time from the start of a process to the answer of its first request."""

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.model_card import card_path
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import ChildRun, run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.results import Result, paired
from scripts.benchmarks.storage_servers import BUCKET, serve_bucket

_FLOOR = "floor (bare calls, local files)"
_FROM_S3, _FROM_FOLDER, _FROM_SLOW = "handler, S3", "handler, folder", "handler, slow storage"
_LITERT, _KERAS = "naive LiteRT and boto3", "naive Keras in TensorFlow"


def measure(bench: Bench) -> Result:
    """Start fresh processes, one way of answering after the other, round by round."""
    result = Result(f"Cold start, {bench.options.rows:,} rows, {bench.environment.name}")
    local = local_files(bench)
    event = write_event(bench.work / "event.json", bench.queries[0].read_bytes())
    folders = {"folders": {"index": str(bench.index), "naive": str(local)}}
    with serve_bucket("moto_server", folders) as s3, serve_bucket("slow_store", folders) as slow:
        starts = _starts(bench, local, event, s3, slow, result)
        runs: dict[str, list[ChildRun]] = {name: [] for name in starts}
        for start in starts.values():
            start()  # reads files for the first time, and writes .pyc files
        rounds = bench.repeats(15)
        for number in range(rounds):
            for name, start in starts.items():
                if number < 3 or name != _KERAS:
                    runs[name].append(start())
    wall = {name: [run.answer_ms for run in repeats] for name, repeats in runs.items()}
    answers, floors, handlers = {}, {}, {}
    for name, repeats in runs.items():
        count = len(repeats)
        answers[name] = result.add(f"{name}: answer", "ms", wall[name])
        result.add(f"{name}: processor time", "ms", [run.cpu_ms for run in repeats])
        floors[name] = result.add(f"{name}: / floor", "", paired(wall[name], wall[_FLOOR][:count]))
        handlers[name] = result.add(f"{name}: / {_FROM_S3}", "", paired(wall[name], wall[_FROM_S3][:count]))
    for place, name, limit in (("S3", _FROM_S3, 1.4), ("a folder", _FROM_FOLDER, 1.2)):
        compared = {"ours": answers[name], "floor": answers[_FLOOR]}
        result.at_most(f"cold start from {place} / floor", floors[name], limit, **compared)
    if _KERAS in runs:
        compared = {"ours": answers[_FROM_S3], "peer": answers[_KERAS]}
        result.at_least("cold start from S3: naive Keras / ours", handlers[_KERAS], 15, **compared)
    _add_bytes(bench, local, result)
    return result


def _starts(
    bench: Bench, local: Path, event: Path, s3: dict[str, str], slow: dict[str, str], result: Result
) -> dict[str, Callable[[], ChildRun]]:
    """Return functions that start one process each, by the name of what they measure."""
    photo = str(bench.queries[0])
    naive = {"bucket": BUCKET, "folder": str(bench.work / "fetched"), "photo": photo}
    (bench.work / "fetched").mkdir(exist_ok=True)

    def floor() -> ChildRun:
        return run_child("bare", bench.environment, {"work": "query", **bare_arguments(local), "photo": photo})

    def handler(index: str, storage: dict[str, str]) -> Callable[[], ChildRun]:
        variables = {**HANDLER, **storage, "INDEX_URI": index}
        return lambda: run_child("handler", bench.environment, {"event": str(event)}, variables)

    starts = {
        _FLOOR: floor,
        _FROM_S3: handler(f"s3://{BUCKET}/index", s3),
        _FROM_FOLDER: handler(str(bench.index), {}),
        _FROM_SLOW: handler(f"s3://{BUCKET}/index", slow),
        _LITERT: lambda: run_child("naive", INSTALLED, {**naive, "runtime": "litert"}, s3),
    }
    if bench.options.quick:
        result.notes.append("a quick run leaves out the Keras function")
    elif (local / "model.keras").exists():
        variables = s3 | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        given = {**naive, "runtime": "keras", "passes": _passes()}
        starts[_KERAS] = lambda: run_child("naive", INSTALLED, given, variables)
    else:
        result.notes.append("tensorflow is not installed, so the Keras function was not measured")
    return starts


def _passes() -> int:
    """Count how often the shipped graph runs a network for a photo: once for each of its networks and views."""
    made = json.loads(card_path(BUNDLED_MODEL).read_bytes())["made"]
    return len(made.get("runs", [made])) * (2 if made.get("two_views") else 1)


def local_files(bench: Bench) -> Path:
    """Make the files that the floor reads and the naive functions fetch; return their folder."""
    embedder = Embedder(BUNDLED_MODEL)
    local = bench.work / f"local-{bench.options.rows}-{embedder.sha256[:8]}"
    local.mkdir(exist_ok=True)
    model = local / "model.keras"
    if not (bench.options.quick or model.exists()) and importlib.util.find_spec("tensorflow"):
        run_child("naive", INSTALLED, {"save_model": str(model), "dimension": embedder.dimension})
    generation = next((bench.index / "generations").iterdir())
    if not (local / "matrix.npy").exists():
        vectors = np.load(generation / "vectors.npy").astype(np.float32)
        np.save(local / "matrix.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        shutil.copy(generation / "keys.txt", local)
        shutil.copy(BUNDLED_MODEL, local / "model.tflite")
    return local


def bare_arguments(local: Path) -> dict[str, str]:
    """Return where bare calls find their files."""
    return {
        "model": str(local / "model.tflite"),
        "matrix": str(local / "matrix.npy"),
        "keys": str(local / "keys.txt"),
    }


def _add_bytes(bench: Bench, local: Path, result: Result) -> None:
    generation = next((bench.index / "generations").iterdir())
    stored = (generation / "vectors.npy").stat().st_size
    plain = (local / "matrix.npy").stat().st_size
    result.at_most("bytes of the matrix / float32's", round(stored / plain, 4), 0.5)

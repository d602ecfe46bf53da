"""From the start of a process to the answer of its first request."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embeddings.embedder import BUNDLED_MODEL, Embedder
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.environment import INSTALLED
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.processes import Run, run_child
from scripts.benchmarks.results import Result, paired
from scripts.benchmarks.stores import BUCKET, served

_FLOOR = "floor: bare calls, local files"
_FROM_S3, _FROM_FOLDER, _FROM_SLOW = "handler, S3", "handler, folder", "handler, slow storage"
_LITERT, _KERAS = "careless LiteRT and boto3", "careless keras in tensorflow"


def measure(bench: Bench) -> Result:
    """Fresh processes, one kind after the other, round by round."""
    result = Result(f"Cold start, {bench.options.rows:,} rows, {bench.environment.name}")
    local = local_files(bench)
    event = write_event(bench.work / "event.json", bench.queries[0].read_bytes())
    folders = {"index": str(bench.index), "careless": str(local)}
    with served("moto_server", {"folders": folders}) as s3, served("slow_store", {"folders": folders}) as slow:
        kinds = _kinds(bench, local, event, s3, slow, result)
        runs: dict[str, list[Run]] = {name: [] for name in kinds}
        for each in kinds.values():
            each()  # reads files for the first time, and writes .pyc files
        rounds = bench.repeats(15)
        for number in range(rounds):
            for name, run in kinds.items():
                if number < 3 or name != _KERAS:
                    runs[name].append(run())
    for name, repeats in runs.items():
        result.add(name, "ms", [run.answer_ms for run in repeats])
        result.add("  processor time, all threads", "ms", [run.cpu_ms for run in repeats])
    wall = {name: [run.answer_ms for run in repeats] for name, repeats in runs.items()}
    for name in (_FROM_S3, _FROM_FOLDER, _FROM_SLOW):
        ratio = result.add(f"ratio {name} / floor", "", paired(wall[name], wall[_FLOOR]))
        if name == _FROM_S3:
            result.at_most(f"{name} / floor", ratio, 1.7)
    for name in (_LITERT, _KERAS):
        if name in wall:
            times = wall[name]
            ratio = result.add(f"ratio {name} / {_FROM_S3}", "", paired(times, wall[_FROM_S3][: len(times)]))
            if name == _KERAS:
                result.at_least(f"{name} / {_FROM_S3}", ratio, 15)
    _add_bytes(bench, local, result)
    return result


def _kinds(
    bench: Bench, local: Path, event: Path, s3: dict[str, str], slow: dict[str, str], result: Result
) -> dict[str, Callable[[], Run]]:
    here, photo = bench.environment, str(bench.queries[0])
    files = {"model": str(local / "model.tflite"), "matrix": str(local / "matrix.npy"), "keys": str(local / "keys.txt")}
    careless = {"folder": str(bench.work / "fetched"), "bucket": BUCKET, "photo": photo}
    (bench.work / "fetched").mkdir(exist_ok=True)
    kinds = {
        _FLOOR: lambda: run_child("floor", here, {**files, "photo": photo}),
        _FROM_S3: lambda: run_child(
            "handler", here, {"event": str(event)}, {**HANDLER, **s3, "INDEX_URI": f"s3://{BUCKET}/index"}
        ),
        _FROM_FOLDER: lambda: run_child(
            "handler", here, {"event": str(event)}, {**HANDLER, "INDEX_URI": str(bench.index)}
        ),
        _FROM_SLOW: lambda: run_child(
            "handler", here, {"event": str(event)}, {**HANDLER, **slow, "INDEX_URI": f"s3://{BUCKET}/index"}
        ),
        _LITERT: lambda: run_child("careless_litert", INSTALLED, careless, s3),
    }
    if bench.options.quick:
        result.notes.append("the keras function is left out of a quick run")
    elif (local / "model.keras").exists():
        kinds[_KERAS] = lambda: run_child("careless_keras", INSTALLED, careless, s3 | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    else:
        result.notes.append("tensorflow is not installed, so the keras function was not measured")
    return kinds


def local_files(bench: Bench) -> Path:
    """What the floor reads and the careless functions fetch."""
    local = bench.work / f"local-{bench.options.rows}"
    local.mkdir(exist_ok=True)
    model = local / "model.keras"
    if not (bench.options.quick or model.exists()) and importlib.util.find_spec("tensorflow"):
        run_child("keras_model", INSTALLED, {"dimension": Embedder(BUNDLED_MODEL).dimension, "file": str(model)})
    generation = next((bench.index / "generations").iterdir())
    if not (local / "matrix.npy").exists():
        vectors = np.load(generation / "vectors.npy").astype(np.float32)
        np.save(local / "matrix.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
        shutil.copy(generation / "keys.txt", local)
        shutil.copy(BUNDLED_MODEL, local / "model.tflite")
    return local


def _add_bytes(bench: Bench, local: Path, result: Result) -> None:
    generation = next((bench.index / "generations").iterdir())
    stored = (generation / "vectors.npy").stat().st_size
    plain = (local / "matrix.npy").stat().st_size
    result.add("matrix, as stored and fetched", "MB", [stored / 1e6])
    result.at_most("bytes of the matrix / float32's", round(stored / plain, 4), 0.5)

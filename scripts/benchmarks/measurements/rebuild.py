"""Measure indexing a gallery, and looking at one again after nothing has changed."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from embeddings.embedder import BUNDLED_MODEL
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.results import Result, paired
from scripts.benchmarks.storage_servers import BUCKET, serve_bucket

_S3_KEYS = 20_000  # moto goes through all keys for every page of a listing
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_LISTING_LIMIT = 1.5
_MOST_KB = 10
"""Memory for each further photo: its vector, key and ETag several times over, but no photo."""


def measure(bench: Bench) -> Result:
    """Let bare calls and the rebuild take turns; then look at unchanged galleries in a folder and on S3."""
    source = "drawn" if bench.options.photos is None else "real"
    result = Result(f"Rebuild, folder of {source} photos, {_CORES} cores")
    files = bench.photos(60 if bench.options.quick else 3000)
    few = files[:: max(1, len(files) // 1500)]
    gallery = _gallery(few, bench.work / "gallery-few")
    alone, together, rates = [], [], []
    for _ in range(bench.repeats(3)):
        alone.append(_seconds_per_photo(gallery, [(0, 500, 1)]))
        rates.append(len(few) / _rebuild(gallery, bench.work)["seconds"])
        together.append(_seconds_per_photo(gallery, [(start, len(few), _CORES) for start in range(_CORES)]))
    ours = result.add(f"rebuild of {len(few):,} photos, imports not counted", "photos/s", rates)
    for load, bare in (("one core", alone), ("all cores", together)):
        result.add(f"bare decode + embed with {load} at work, a photo", "ms", [1000 * each for each in bare])
        possible = [_CORES / seconds for seconds in bare]
        floor = result.add(f"{_CORES} cores at that speed", "photos/s", possible)
        share = result.add("rebuild / that", "", paired(rates, possible))
        result.at_least(f"rebuild / bare calls with {load} at work", share, 0.8, ours=ours, floor=floor)
    if len(files) > len(few):
        _compare_memory(bench, files, few, result)
    else:
        result.notes.append("with so few photos, two sizes of gallery were not compared for memory")
    _look_again(bench, result)
    return result


def _gallery(files: Sequence[Path], folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, file in enumerate(files):
        shutil.copyfile(file, folder / f"{number:06}{file.suffix}")
    return folder


def _rebuild(gallery: Path, work: Path) -> dict[str, float]:
    index = work / "rebuilt"
    shutil.rmtree(index, ignore_errors=True)
    return run_child("rebuilding", INSTALLED, {"gallery": str(gallery), "index": str(index)}).told


def _seconds_per_photo(gallery: Path, slices: Sequence[tuple[int, int, int]]) -> float:
    """Embed each slice of the gallery by bare calls in a process of its own, all at once; return the slowest's time."""
    given = {"work": "embed", "model": str(BUNDLED_MODEL), "gallery": str(gallery)}
    with ThreadPoolExecutor(len(slices)) as pool:
        runs = [pool.submit(run_child, "bare", INSTALLED, given | {"part": each}) for each in slices]
        return max(float(run.result().told["seconds"]) for run in runs)


def _compare_memory(bench: Bench, files: Sequence[Path], few: Sequence[Path], result: Result) -> None:
    """Check that twice as many photos need no more memory than their rows of the index."""
    small = _rebuild(bench.work / "gallery-few", bench.work)["peak_mb"]
    large = _rebuild(_gallery(files, bench.work / "gallery-many"), bench.work)["peak_mb"]
    result.add(f"most memory, {len(few):,} photos", "MB", [small])
    result.add(f"most memory, {len(files):,} photos", "MB", [large])
    more = result.add("more for each further photo", "kB", [1000 * (large - small) / (len(files) - len(few))])
    result.at_most("rebuild: memory for each further photo, kB", more, _MOST_KB)


def _merge_shards(bench: Bench, folder: Path, count: int, result: Result) -> None:
    """Measure a run of four shards and its merge, all but the embedding."""
    index = bench.work / "merged"
    shutil.rmtree(index, ignore_errors=True)
    given = {"gallery": str(folder), "index": str(index), "run": "bench"}
    invented = given | {"invented_vectors": True}
    runs = [run_child("rebuilding", INSTALLED, invented | {"shard": f"{each}/4"}) for each in (1, 2, 3, 4)]
    result.add(f"a shard of 4, {count:,} keys, invented vectors", "s", [float(run.told["seconds"]) for run in runs])
    merged = run_child("rebuilding", INSTALLED, given).told
    result.add(f"merge of 4 shards, {count:,} keys", "s", [merged["seconds"]])
    result.add(f"most memory, merge of 4 shards, {count:,} keys", "MB", [merged["peak_mb"]])


def _look_again(bench: Bench, result: Result) -> None:
    """Measure rebuilds that find nothing to do."""
    count = 1000 if bench.options.quick else 60_000
    folder = bench.work / f"keys-{count}"
    if not folder.exists():
        folder.mkdir()
        for number in range(count):
            (folder / f"photo-{number:08}.jpg").write_bytes(b"%d" % number)
    _merge_shards(bench, folder, count, result)
    index = bench.work / f"unchanged-{count}"
    given = {"gallery": str(folder), "index": str(index)}
    shutil.rmtree(index, ignore_errors=True)  # an older preprocessing would make every photo a changed one
    run_child("rebuilding", INSTALLED, given | {"invented_vectors": True})
    runs = [run_child("rebuilding", INSTALLED, given) for _ in range(bench.repeats(5))]
    assert all(run.told["outcome"] == "UNCHANGED" for run in runs)  # noqa: S101
    seconds = result.add(
        f"no change, folder of {count:,} keys, with imports", "s", [run.answer_ms / 1000 for run in runs]
    )
    result.at_most(f"rebuild of an unchanged folder of {count:,}, s", seconds, 2)
    count = min(count, _S3_KEYS)
    with serve_bucket("moto_server", {"keys": {"gallery": count}}) as s3:
        given = {"gallery": f"s3://{BUCKET}/gallery", "index": f"s3://{BUCKET}/index"}
        run_child("rebuilding", INSTALLED, given | {"invented_vectors": True}, s3)
        listings, looks = [], []
        for _ in range(bench.repeats(3)):
            listed = run_child("bare", INSTALLED, {"work": "list", "bucket": BUCKET, "prefix": "gallery/"}, s3)
            listings.append(float(listed.told["seconds"]))
            looks.append(float(run_child("rebuilding", INSTALLED, given, s3).told["seconds"]))
    listing = result.add(f"one listing of {count:,} keys on S3, boto3 alone", "s", listings)
    look = result.add(f"no change, {count:,} keys on S3", "s", looks)
    ratio = result.add("no change on S3 / one listing", "", paired(looks, listings))
    result.at_most(
        f"rebuild of {count:,} unchanged keys on S3 / listing", ratio, _LISTING_LIMIT, ours=look, floor=listing
    )

"""Measure the memory of one instance."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.indexes import published_index
from scripts.benchmarks.photos import camera_photo, encoded
from scripts.benchmarks.results import Result

_LARGE = 1_000_000
_SIZE = (8660, 5773)  # 50 megapixels, the most that is allowed


def _transparent_png(image: Image.Image) -> bytes:
    image.putalpha(200)
    return encoded(image, "PNG", compress_level=1)


_LARGEST: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": encoded,
    "progressive jpeg": partial(encoded, progressive=True),
    "png": partial(encoded, file_format="PNG", compress_level=1),
    "png with transparency": _transparent_png,
    "webp": partial(encoded, file_format="WEBP", quality=70, method=0),
}


def measure(bench: Bench) -> Result:
    """Weigh fresh handlers after a first small photo, and after one of the largest photos allowed."""
    result = Result("Memory of one instance, one request at a time")
    small = write_event(bench.work / "event.json", bench.queries[0].read_bytes())

    def weigh(rows: int, large: Path | None = None) -> dict[str, float]:
        given = {"event": str(small), "weigh": True, "more": 3} | ({"large": str(large)} if large else {})
        variables = {**HANDLER, "MAX_UPLOAD_BYTES": "100000000", "INDEX_URI": str(published_index(rows, bench.work))}
        return dict(run_child("handler", bench.environment, given, variables).told)

    rows = bench.options.rows
    runs = [weigh(rows) for _ in range(bench.repeats(5))]
    resident = result.add(f"{rows:,} rows: resident", "MB", [run["resident_mb"] for run in runs])
    result.add(f"{rows:,} rows: most until then", "MB", [run["peak_mb"] for run in runs])
    result.at_most(f"memory of {rows:,} rows, MB", resident, 150)
    if bench.options.quick:
        return result
    image = camera_photo(bench.photos(20)[0], _SIZE)
    for name, encode in _LARGEST.items():
        run = weigh(rows, write_event(bench.work / "large.json", encode(image.copy())))
        result.add(f"more for a {name} of 50 megapixels", "MB", [run["large_peak_mb"] - run["resident_mb"]])
    run = weigh(_LARGE)
    resident = result.add(f"{_LARGE:,} rows: resident", "MB", [run["resident_mb"]])
    result.add(f"{_LARGE:,} rows: most until then", "MB", [run["peak_mb"]])
    result.at_most(f"memory of {_LARGE:,} rows, MB", resident, 850)
    return result

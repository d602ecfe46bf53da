"""The search function measured on one core of this machine, as a bill needs it."""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scripts.benchmarks.child_environment import INSTALLED
from scripts.benchmarks.child_processes import run_child
from scripts.benchmarks.http_api_event import HANDLER, write_event
from scripts.benchmarks.indexes import published_index
from scripts.benchmarks.photos import camera_photo, encoded
from scripts.drawn_gallery import draw_gallery

_PAGE_PHOTO = (480, 640)  # pixels; the page scales photos down to this
_LARGEST_PHOTO = (7000, 7000)  # just below MAX_PIXELS
_WARM_REQUESTS = 40


@dataclass(frozen=True)
class Measured:
    """The search function on one core."""

    start_ms: float
    """From the start of the process until the handler is imported."""
    first_ms: float
    """The first request, which waits for the index."""
    warm_ms: float
    largest_ms: float
    """A request with the most expensive photo that the service takes."""
    memory_mb: float
    """The peak of the process with photos as the page sends them."""


def measure(rows: int) -> Measured:
    """Publish an index of `rows` vectors and send a fresh process a photo as large as the page's, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with tqdm(total=2, desc="measuring", unit="step", disable=None, leave=False) as bar:
            index = published_index(rows, work)
            bar.update()
            (drawn,) = draw_gallery(work / "gallery", 1)
            event = write_event(work / "event.json", encoded(camera_photo(drawn, _PAGE_PHOTO), quality=85))
            # Unlike a JPEG, a WebP cannot be decoded at a smaller scale.
            largest = encoded(camera_photo(drawn, _PAGE_PHOTO).resize(_LARGEST_PHOTO), "WEBP", quality=80)
            large = write_event(work / "large.json", largest)
            given = {"event": str(event), "more": _WARM_REQUESTS, "weigh": True, "large": str(large)}
            run = run_child("handler", INSTALLED, given, {**HANDLER, "INDEX_URI": str(index)})
            bar.update()
    told = run.told
    first_ms = told["first_ms"]
    warm_ms = statistics.median(told["warm_ms"])
    return Measured(run.answer_ms - first_ms, first_ms, warm_ms, told["large_ms"], told["peak_mb"])

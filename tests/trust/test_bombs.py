"""Whatever the photo, decoding costs no more than SECURITY.md says; each one is measured in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.errors import UnsupportedPhotoError
from embeddings.preprocess import photo_pixels
from tests.photos import photo
from tests.trust.bombs import READ, REFUSED, large

ROOT = Path(__file__).parents[2]

SECONDS = 3.0
"""Limit of processor time; the most expensive photo takes 0.5 here."""
REFUSED_BYTES = 50_000_000
READ_BYTES = 16 * 4_000_000 + 12_000_000
"""16 for each pixel, and the file itself."""

# Forks a process for each photo, because the peak of a process's memory never falls again.
_MEASURE = """
import json, os, resource, sys
from pathlib import Path
from embeddings.errors import PhotoError
from embeddings.preprocess import photo_pixels
for path in sys.stdin:
    photo = Path(path.strip()).read_bytes()
    reading, writing = os.pipe()
    if os.fork() == 0:
        before = resource.getrusage(resource.RUSAGE_SELF)
        try:
            photo_pixels(photo)
            answer = "read"
        except PhotoError as error:
            answer = str(error)
        after = resource.getrusage(resource.RUSAGE_SELF)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        os.write(writing, json.dumps([answer, seconds, (after.ru_maxrss - before.ru_maxrss) * 1024]).encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    print(os.read(reading, 100_000).decode(), flush=True)
    os.close(reading)
"""

Measured = tuple[str, float, int]
"""The answer or error, seconds of processor time, bytes of memory."""


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bytes], Measured]]:
    folder = tmp_path_factory.mktemp("bombs")
    command = [sys.executable, "-c", _MEASURE]
    with (
        (folder / "errors").open("wb") as errors,
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=-1, stdout=-1, stderr=errors) as process,
    ):
        assert process.stdin is not None
        answers = process.stdout
        assert answers is not None

        def measured(content: bytes) -> Measured:
            (folder / "photo").write_bytes(content)
            print(folder / "photo", file=process.stdin, flush=True)
            return tuple(json.loads(answers.readline()))

        yield measured
        process.stdin.close()
    assert (folder / "errors").read_bytes() == b"", "a photo can write to the log"


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, measure: Callable[[bytes], Measured]) -> None:
    content = REFUSED[name]()
    assert len(content) < 10_000_000
    answer, seconds, memory = measure(content)
    assert answer != "read"
    assert seconds < SECONDS
    assert memory < REFUSED_BYTES


@pytest.mark.parametrize("name", READ)
def test_read(name: str, measure: Callable[[bytes], Measured]) -> None:
    answer, seconds, memory = measure(READ[name]())
    assert answer == "read"
    assert seconds < SECONDS
    assert memory < READ_BYTES


def test_data_that_cameras_write_behind_the_image_are_ignored() -> None:
    """The film of a moving photo contains, by chance, bytes that would begin a scan."""
    film = np.random.default_rng(0).bytes(8_000_000)
    assert film.count(b"\xff\xda") > 100
    assert (photo_pixels(photo("red") + film) == photo_pixels(photo("red"))).all()
    behind_png = photo("red", format="PNG") + bytes(1_000_000)
    assert (photo_pixels(behind_png) == photo_pixels(photo("red", format="PNG"))).all()


def test_only_three_formats_reach_their_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    Image.init()
    for format, (factory, accept) in list(Image.OPEN.items()):

        def watched(*arguments: object, _format: str = format, _factory: Callable[..., object] = factory) -> object:
            asked.add(_format)
            return _factory(*arguments)

        monkeypatch.setitem(Image.OPEN, format, (watched, accept))
    for format in (
        "JPEG",
        "MPO",
        "PNG",
        "WEBP",
        "GIF",
        "BMP",
        "TIFF",
        "PPM",
        "ICO",
        "PCX",
        "TGA",
        "EPS",
        "JPEG2000",
        "AVIF",
    ):
        with suppress(UnsupportedPhotoError):
            photo_pixels(large(format, "RGB", (20, 20)))
    assert asked == {"JPEG", "PNG", "WEBP"}  # MPO begins as a JPEG

"""The limits on a file's parts, to the last one, and on the pixels that are decoded at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from PIL import Image

from embeddings import preprocess
from embeddings.decode_guards import PixelBudget, structure_problem
from embeddings.errors import BrokenPhotoError
from embeddings.preprocess import Limits, photo_pixels
from tests.photos import encoded
from tests.trust.bombs import chunk, large

MOST = 100

COMMENT, SCAN = b"\xff\xfe\0\2", b"\xff\xda\0\2"
SCAN_IN_A_COMMENT = b"\xff\xfe\0\4\xff\xda"
TEXT, PIXELS, END = chunk(b"tEXt"), chunk(b"IDAT"), chunk(b"IEND")


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (50 * SCAN + SCAN_IN_A_COMMENT, None),
        (51 * SCAN, "more than 50 scans"),
        (9_999 * COMMENT + SCAN, None),
        (b"\xff" + 9_999 * COMMENT + SCAN, "too many parts"),
        (SCAN + 9_998 * SCAN_IN_A_COMMENT, None),
        (SCAN + 10_000 * SCAN_IN_A_COMMENT, "too many parts"),
    ],
    ids=[
        "50 scans and one in a comment",
        "51 scans",
        "20,000 steps",
        "20,001 steps",
        "20,000 behind a scan",
        "more behind a scan",
    ],
)
def test_the_most_parts_of_a_jpeg(parts: bytes, problem: str | None) -> None:
    assert structure_problem(b"\xff\xd8" + parts + b"\xff\xd9") == problem


@pytest.mark.parametrize(
    ("chunks", "problem"),
    [
        (1_000 * TEXT + 2_000 * PIXELS, None),
        (1_001 * TEXT, "too many parts"),
        (20_000 * PIXELS, None),
        (20_001 * PIXELS, "too many parts"),
    ],
    ids=["1,000 of metadata", "1,001 of metadata", "20,000 of pixels", "20,001 of pixels"],
)
def test_the_most_parts_of_a_png(chunks: bytes, problem: str | None) -> None:
    assert structure_problem(b"\x89PNG\r\n\x1a\n" + chunks + END) == problem


def test_what_exactly_fits_does_not_wait() -> None:
    budget = PixelBudget()
    with budget.hold(60, MOST):
        fits = threading.Thread(target=lambda: budget.hold(40, MOST).__enter__(), daemon=True)
        fits.start()
        fits.join(5)
        assert not fits.is_alive()


def test_the_limit_holds_and_every_photo_gets_its_turn() -> None:
    budget, lock = PixelBudget(), threading.Lock()
    held, highest = [0], [0]

    def decode(pixels: int) -> None:
        with budget.hold(pixels, MOST):
            with lock:
                held[0] += pixels
                highest[0] = max(highest[0], held[0])
            time.sleep(0.001)
            with lock:
                held[0] -= pixels

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(decode, [1, 30, 70, 100, 5, 60] * 20))
    assert 60 < highest[0] <= MOST
    assert held[0] == 0


def test_a_photo_beyond_the_limit_is_decoded_alone() -> None:
    budget = PixelBudget()
    with budget.hold(5 * MOST, MOST):
        waiting = threading.Thread(target=lambda: budget.hold(1, MOST).__enter__(), daemon=True)
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_large_photo_is_not_overtaken() -> None:
    budget = PixelBudget()
    order: list[str] = []

    def enter(name: str, pixels: int) -> None:
        with budget.hold(pixels, MOST):
            order.append(name)

    with budget.hold(50, MOST):
        threads = [threading.Thread(target=enter, args=each) for each in (("large", 90), ("small", 1))]
        for each in threads:
            each.start()
            time.sleep(0.05)
        assert order == []
    for each in threads:
        each.join(5)
    assert order == ["large", "small"]


@pytest.mark.parametrize(
    ("format", "options", "pixels"),
    [
        pytest.param("PNG", {}, 1280 * 1920, id="png"),
        pytest.param("JPEG", {}, 640 * 960, id="jpeg that is decoded at half its size"),
        pytest.param("JPEG", {"progressive": True}, 1280 * 1920, id="progressive jpeg, of which all is in memory"),
    ],
)
def test_a_photo_holds_the_pixels_that_its_decoder_needs(
    format: str, options: dict[str, Any], pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    hold = preprocess._BUDGET.hold

    def watched(pixels: int, most: int) -> AbstractContextManager[None]:
        held.append((pixels, most))
        return hold(pixels, most)

    monkeypatch.setattr(preprocess._BUDGET, "hold", watched)
    photo_pixels(encoded(Image.new("RGB", (1280, 1920)), format, **options), limits=Limits(max_pixels=3_000_000))
    assert held == [(pixels, 3_000_000)]


def test_a_photo_gives_back_its_pixels() -> None:
    """Also if it is broken, or the next one would wait for ever."""
    whole = large("PNG", "RGB", (500, 400))
    for content in (whole, whole[: len(whole) // 2], whole):
        try:
            photo_pixels(content, limits=Limits(max_pixels=200_000))
        except BrokenPhotoError:
            continue
    assert preprocess._BUDGET._held == 0

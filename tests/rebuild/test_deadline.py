"""Rebuilds that run out of time."""

import threading
import time
from typing import Any

import pytest

from embeddings.embedder import Embedder
from embeddings.rebuild import Outcome, pipeline
from embeddings.rebuild.checkpoint import Checkpoint
from embeddings.storage.reader import Fetched, Reader
from tests.rebuild.gallery import Shop


def test_a_rebuild_out_of_time_publishes_nothing_and_the_next_one_resumes(any_shop: Shop) -> None:
    any_shop.rebuild()
    before = any_shop.load().manifest
    any_shop.put({"a.jpg": "navy", "b.jpg": b"no photo", "c.jpg": "teal"})
    any_shop.photos.delete(["shoes/green.jpg"])
    for remaining in (2, 1):
        summary = any_shop.rebuild(stop_at=time.monotonic())
        assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.UNFINISHED, 1, remaining)
        assert (summary.generation, summary.count, summary.added) == (before.generation, 3, 0)
        assert any_shop.load().manifest == before
    summary = any_shop.rebuild(stop_at=time.monotonic())
    assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.PUBLISHED, 1, 0)
    assert (summary.count, summary.added, summary.removed, summary.failed) == (4, 2, 1, 1)
    assert any_shop.paths("checkpoints/") == []


def test_a_first_rebuild_and_one_by_keys_resume_too(shop: Shop) -> None:
    outcomes = [shop.rebuild(keys=["shirts/red.jpg"], stop_at=time.monotonic()).outcome for _ in range(3)]
    assert outcomes == [Outcome.UNFINISHED, Outcome.UNFINISHED, Outcome.PUBLISHED]
    assert len(shop.load().gallery) == 3
    shop.put({"a.jpg": "navy", "b.jpg": "teal", "not named.jpg": "pink"})
    outcomes = [shop.rebuild(keys=["a.jpg", "b.jpg"], stop_at=time.monotonic()).outcome for _ in range(2)]
    assert outcomes == [Outcome.UNFINISHED, Outcome.PUBLISHED]
    assert shop.load().gallery.keys[:2] == ["a.jpg", "b.jpg"]
    assert len(shop.load().gallery) == 5


def test_a_rebuild_with_nothing_to_embed_is_never_out_of_time(shop: Shop) -> None:
    shop.rebuild()
    assert shop.rebuild(stop_at=time.monotonic()).outcome is Outcome.UNCHANGED
    shop.photos.delete(["shirts/red.jpg"])
    assert shop.rebuild(stop_at=time.monotonic()).outcome is Outcome.PUBLISHED


@pytest.mark.alone
def test_it_stops_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put({f"{number:03d}.jpg": "red" for number in range(200)})
    real = Embedder.describe

    def slow(self: Embedder, *arguments: Any, **options: Any) -> object:
        time.sleep(0.05)
        return real(self, *arguments, **options)

    monkeypatch.setattr(Embedder, "describe", slow)
    monkeypatch.setattr(pipeline, "_cores", lambda: 2)  # all photos would take 5 seconds
    started = time.monotonic()
    summary = shop.rebuild(stop_at=started + 1.5)
    assert 1.5 <= time.monotonic() - started < 3
    assert summary.outcome is Outcome.UNFINISHED
    assert summary.embedded + summary.remaining == 203
    assert summary.embedded > 5
    monkeypatch.setattr(Embedder, "describe", real)
    assert shop.rebuild().embedded == summary.remaining


def test_the_checkpoint_is_saved_before_the_rebuild_waits_for_slow_photos(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform may kill the process while storage is slow."""
    get, save, begun, saved = Reader.get, Checkpoint.save, threading.Event(), threading.Event()
    in_time: list[bool] = []

    def slow(self: Reader, key: str, **options: Any) -> Fetched:
        if key == "shoes/green.jpg":
            begun.set()
            in_time.append(saved.wait(20))
        elif key == "shirts/blue.jpg":
            begun.wait(20)
        return get(self, key, **options)

    def saving(self: Checkpoint) -> None:
        save(self)
        saved.set()

    monkeypatch.setattr(Reader, "get", slow)
    monkeypatch.setattr(Checkpoint, "save", saving)
    assert shop.rebuild(stop_at=time.monotonic()).outcome is Outcome.UNFINISHED
    assert in_time == [True]

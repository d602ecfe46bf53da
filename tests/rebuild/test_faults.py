"""Rebuilds at the same time, killed rebuilds, and storage that fails during one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedder import Embedder
from embeddings.errors import NotFoundError, StorageError, UnavailableError
from embeddings.index.manifest import POINTER
from embeddings.rebuild import Outcome, checkpoint
from embeddings.rebuild.checkpoint import Checkpoint, Described
from embeddings.storage.reader import Fetched, Reader
from embeddings.storage.writers.local import LocalWriter
from tests.photos import photo
from tests.rebuild.gallery import CHECKPOINTS, MODEL, Shop

COLOURS = ["red", "green", "blue", "orange", "purple", "black", "pink", "navy", "olive", "teal"]


def test_ten_rebuilds_at_once_lose_no_work(shop: Shop) -> None:
    """Each one looks at its own photo, as after an event. In the end all photos must be there."""
    shop.rebuild()
    keys = [f"new/{number}.jpg" for number in range(10)]
    shop.put(dict(zip(keys, COLOURS, strict=True)))
    with ThreadPoolExecutor(10) as pool:
        outcomes = [each.outcome for each in pool.map(lambda key: shop.rebuild(keys=[key]), keys)]
    assert outcomes == [Outcome.PUBLISHED] * 10
    assert set(keys) < set(shop.load().gallery.keys)
    assert len(shop.load().gallery) == 13


def test_a_photo_that_another_rebuild_adds_meanwhile_is_kept(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    any_shop.rebuild()
    any_shop.put({"mine.jpg": "pink", "theirs.jpg": "black"})
    real, met = Embedder.describe, list[bool]()

    def embed_while_another_publishes(self: Embedder, *arguments: Any, **options: Any) -> object:
        if not met:
            met.append(True)
            any_shop.rebuild(keys=["theirs.jpg"])
        return real(self, *arguments, **options)

    monkeypatch.setattr(Embedder, "describe", embed_while_another_publishes)
    summary = any_shop.rebuild(keys=["mine.jpg"])
    assert (summary.outcome, summary.embedded) == (Outcome.PUBLISHED, 1), "its own photo is not embedded again"
    assert {"mine.jpg", "theirs.jpg"} < set(any_shop.load().gallery.keys)


def test_another_generation_with_as_many_photos_is_not_mistaken_for_our_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed swap, a rebuild looks whether the pointer is its own after all, since answers get lost."""
    shop.rebuild()
    shop.put({"mine.jpg": "pink", "theirs.jpg": "black"})
    real, met = LocalWriter.compare_and_set, list[bool]()

    def overtaken(self: LocalWriter, *arguments: Any, **options: Any) -> None:
        if not met:
            met.append(True)
            assert shop.rebuild(keys=["theirs.jpg"]).count == 4
        real(self, *arguments, **options)

    monkeypatch.setattr(LocalWriter, "compare_and_set", overtaken)
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("waits for nothing"))
    summary = shop.rebuild(keys=["mine.jpg"])
    assert summary.count == 5
    assert {"mine.jpg", "theirs.jpg"} < set(shop.load().gallery.keys)
    assert shop.load().manifest.generation == summary.generation


def test_a_killed_rebuild_is_resumed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put({f"{number:02d}.jpg": COLOURS[number % 10] for number in range(20)})
    monkeypatch.setattr(checkpoint, "GRAIN", 5)
    real, done = Reader.get, []

    def fetch_until_power_fails(self: Reader, key: str, **options: Any) -> Fetched:
        done.append(key)
        if len(done) > 12:
            raise KeyboardInterrupt
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fetch_until_power_fails)
    with pytest.raises(KeyboardInterrupt):
        shop.rebuild()
    assert POINTER not in shop.paths()
    monkeypatch.setattr(Reader, "get", real)
    summary = shop.rebuild()
    assert summary.count == 23
    assert summary.embedded == 23 - 12
    assert shop.paths("checkpoints/") == []
    assert shop.rebuild().outcome is Outcome.UNCHANGED


_HANGS = """
import sys
from tests.rebuild.gallery import Shop
from tests.rebuild.hanging import hang_after
hang_after(saved=30, grain=10)
Shop(*sys.argv[1:]).rebuild()
"""


def test_the_work_of_a_killed_process_is_resumed(shop: Shop) -> None:
    shop.put({f"{number:03d}.jpg": COLOURS[number % 10] for number in range(200)})
    command = [sys.executable, "-c", _HANGS, shop.gallery, shop.index]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    folder = Path(shop.index) / "checkpoints"
    while len(list(folder.glob("*/*.npz"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    saved = 10 * len(list(folder.glob("*/*.npz")))
    summary = shop.rebuild()
    assert summary.count == 203
    assert summary.embedded == 203 - saved


def described(colour: str) -> Described:
    return Described(Embedder(MODEL).embed([photo(colour)])[0].astype("float16"))


def test_a_photo_that_changes_after_its_checkpoint_is_embedded_again(shop: Shop) -> None:
    before = Checkpoint(shop.index_files, Embedder(MODEL))
    etag = shop.photos.stat("shirts/red.jpg").etag
    before.add("shirts/red.jpg", etag, described("white"))
    before.save()
    shop.put({"shirts/red.jpg": "purple"})
    assert shop.rebuild().embedded == 3
    fresh = Embedder(MODEL).embed([photo("purple", (80, 100))])[0]
    assert shop.load().gallery.search(fresh, k=1) == [("shirts/red.jpg", pytest.approx(1, abs=1e-3))]


def test_an_event_leaves_the_checkpoints_of_a_large_rebuild_alone(shop: Shop) -> None:
    shop.rebuild()
    large = Checkpoint(shop.index_files, Embedder(MODEL))
    large.add("much.jpg", "etag", described("white"))
    large.save()
    shop.put({"event.jpg": "pink"})
    shop.rebuild(keys=["event.jpg"])
    assert len(shop.paths("checkpoints/")) == 1
    shop.put({"another.jpg": "pink"})
    shop.rebuild()
    assert shop.paths("checkpoints/") == []


def test_a_checkpoint_that_another_rebuild_deletes_does_no_harm(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.index_files.put(f"{CHECKPOINTS}/x.npz", b"x")
    real = LocalWriter.get

    deleted = []

    def gone(self: LocalWriter, key: str) -> object:
        if key.endswith("x.npz"):
            self.delete([key])
            deleted.append(key)
        return real(self, key)

    monkeypatch.setattr(LocalWriter, "get", gone)
    assert shop.rebuild().count == 3
    assert deleted


def test_a_damaged_checkpoint_is_skipped(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.index_files.put(f"{CHECKPOINTS}/bad.npz", b"garbage")
    assert shop.rebuild().embedded == 3
    assert "bad.npz" in caplog.text
    assert shop.paths("checkpoints/") == []


def test_a_photo_that_vanishes_after_the_listing_is_gone_without_a_refusal(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Reader.get

    def vanished(self: Reader, key: str, **options: Any) -> Fetched:
        if key == "shirts/red.jpg":
            raise NotFoundError(key)
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", vanished)
    summary = shop.rebuild()
    assert (summary.count, summary.failed) == (2, 0)


def test_a_photo_that_storage_does_not_give_is_tried_again_next_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    shop.put({"shirts/red.jpg": "purple", "new.jpg": "black"})
    real = Reader.get

    def fails(self: Reader, key: str, **options: Any) -> Fetched:
        if key in ("shirts/red.jpg", "new.jpg"):
            raise StorageError("timeout")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fails)
    summary = shop.rebuild()
    assert (summary.count, summary.failed, summary.changed) == (3, 2, 0)
    assert "shirts/red.jpg" in shop.load().gallery.keys, "the old image, rather than none"
    assert shop.rebuild().outcome is Outcome.UNCHANGED
    monkeypatch.setattr(Reader, "get", real)
    mended = shop.rebuild()
    assert (mended.added, mended.changed, mended.failed) == (1, 1, 0)


def test_an_outage_ends_the_rebuild_and_keeps_its_work(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    shop.put({f"{number:02d}.jpg": COLOURS[number % 10] for number in range(60)})
    real, fetched = Reader.get, list[str]()

    def outage(self: Reader, key: str, **options: Any) -> Fetched:
        if key != POINTER and len(fetched) >= 30:
            raise UnavailableError("timeout")
        fetched.append(key)
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", outage)
    with pytest.raises(UnavailableError, match="timeout"):
        shop.rebuild()
    monkeypatch.setattr(Reader, "get", real)
    assert len(shop.load().gallery) == 3
    summary = shop.rebuild()
    assert (summary.count, summary.embedded) == (63, 30)


@pytest.mark.parametrize("error", [UnavailableError, StorageError])
def test_many_unreadable_objects_among_readable_ones_are_not_an_outage(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: type[StorageError]
) -> None:
    """Timeouts here and there, or a whole folder that is archived or encrypted with another key."""
    shop.put({f"{number:02d}.jpg": "red" for number in range(60)})
    real, answered = Reader.get, [0]

    def some(self: Reader, key: str, **options: Any) -> Fetched:
        bad = key[:2].isdigit() and (int(key[:2]) % 2 if error is UnavailableError else 5 <= int(key[:2]) < 55)
        if bad:
            answered[0] += 1
            raise error(f"took {answered[0]} ms")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", some)
    summary = shop.rebuild()
    assert summary.failed == (30 if error is UnavailableError else 50)
    if error is StorageError:
        again = shop.rebuild()
        assert (again.outcome, again.failed_new) == (Outcome.UNCHANGED, 0), "although storage words it differently"


def test_access_denied_to_everything_is_an_error(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.put({f"{number:02d}.jpg": "red" for number in range(30)})

    def denied(self: Reader, key: str, **options: Any) -> Fetched:
        raise StorageError("access denied")

    monkeypatch.setattr(Reader, "get", denied)
    with pytest.raises(StorageError, match="none of the photos"):
        shop.rebuild()
    assert "access denied" in caplog.text


def test_a_full_rebuild_keeps_the_image_that_storage_does_not_give(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    real = Reader.get

    def fails(self: Reader, key: str, **options: Any) -> Fetched:
        if key == "shirts/red.jpg":
            raise UnavailableError("timeout")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fails)
    summary = shop.rebuild(full=True)
    assert (summary.count, summary.removed, summary.failed) == (3, 0, 1)


WRITES = ["put", "compare_and_set"]


@pytest.mark.parametrize("failing", range(6))
def test_readers_see_the_old_or_the_new_generation_whichever_write_fails(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    shop.rebuild()
    shop.put({"new.jpg": "black"})
    count = [0]
    for name in WRITES:
        real = getattr(LocalWriter, name)

        def write(self: LocalWriter, *arguments: Any, _real: Callable[..., None] = real, **options: Any) -> None:
            count[0] += 1
            if count[0] - 1 == failing:
                raise OSError("power failure")
            _real(self, *arguments, **options)

        monkeypatch.setattr(LocalWriter, name, write)
    with pytest.raises(OSError, match="power failure"):
        shop.rebuild()
    monkeypatch.undo()
    assert len(shop.load().gallery) == 3
    assert shop.rebuild().count == 4
    assert len(shop.load().gallery) == 4


def test_the_model_is_written_once(shop: Shop) -> None:
    shop.rebuild()
    before = os.stat(Path(shop.index) / shop.paths("models/")[0]).st_mtime_ns
    shop.put({"new.jpg": "black"})
    shop.rebuild()
    assert os.stat(Path(shop.index) / shop.paths("models/")[0]).st_mtime_ns == before


def test_an_object_that_storage_does_not_describe_is_reported_and_stops_no_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 does not describe an object that is encrypted with its owner's key, but lists it."""
    shop.rebuild()
    shop.put({"secret.jpg": "pink", "secret.jpg.old": "pink", "new.jpg": "black"})

    def refused(real: Callable[..., object]) -> Callable[..., object]:
        def ask(self: object, key: str, **options: Any) -> object:
            if key == "secret.jpg":
                raise StorageError("HTTP 400")
            return real(self, key, **options)

        return ask

    monkeypatch.setattr(LocalWriter, "stat", refused(LocalWriter.stat))
    monkeypatch.setattr(Reader, "get", refused(Reader.get))
    summary = shop.rebuild(keys=["secret.jpg", "new.jpg"])
    assert (summary.outcome, summary.added, summary.refusals) == (
        Outcome.PUBLISHED,
        1,
        {"secret.jpg": "storage did not give it"},
    )
    shop.photos.delete(["secret.jpg"])
    assert shop.rebuild(keys=["secret.jpg"]).failed == 0
    assert not {"secret.jpg", "secret.jpg.old"} & set(shop.load().gallery.keys), "another object, of a longer name"


def test_an_outage_during_the_look_at_an_events_keys_is_an_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()

    def outage(self: LocalWriter, key: str) -> object:
        raise UnavailableError("timeout")

    monkeypatch.setattr(LocalWriter, "stat", outage)
    with pytest.raises(UnavailableError, match="timeout"):
        shop.rebuild(keys=["shirts/red.jpg", "shirts/blue.jpg"])

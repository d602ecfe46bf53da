import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import ConflictError, CorruptIndexError, GalleryIndexError, NoIndexError, StorageError
from embeddings.index.history import KEEP_GENERATIONS, clean, past_generations, release, rollback
from embeddings.index.manifest import POINTER
from embeddings.rebuild import Outcome, Shard
from embeddings.storage.writers.local import LocalWriter
from tests.rebuild.gallery import OTHER_MODEL, Shop

COLOURS = ["black", "white", "pink", "grey", "brown", "gold"]


def generations(shop: Shop, count: int) -> list[str]:
    """Publish generations, each with one more photo; return their ids."""
    ids = [shop.rebuild().generation]
    for number in range(1, count):
        shop.put({f"more/{number}.jpg": COLOURS[number]})
        ids.append(shop.rebuild().generation)
    return [each for each in ids if each]


def test_rollback_brings_back_the_generation_before_and_holds_it(shop: Shop) -> None:
    first, second, third = generations(shop, 3)
    assert past_generations(shop.index_files) == [second, first]
    assert rollback(shop.index_files).generation == second
    assert len(shop.load().gallery) == 4
    held = shop.rebuild()
    assert (held.outcome, held.generation) == (Outcome.HELD, second)
    assert rollback(shop.index_files).generation == first, "again, one generation further back"
    assert set(past_generations(shop.index_files)) == {first, second, third}
    release(shop.index_files)
    after = shop.rebuild()
    assert (after.outcome, after.count, after.added) == (Outcome.PUBLISHED, 5, 2)


def test_rollback_to_a_named_generation_of_another_model(shop: Shop) -> None:
    first = generations(shop, 1)[0]
    shop.rebuild(model=OTHER_MODEL)
    assert shop.load().gallery.dimension == 12
    rollback(shop.index_files, first)
    assert shop.load().gallery.dimension == shop.load().embedder.dimension == 48


def test_rollback_refuses_a_missing_or_damaged_generation(shop: Shop) -> None:
    for change in (rollback, release):
        with pytest.raises(NoIndexError):
            change(shop.index_files)
    first, _ = generations(shop, 2)
    with pytest.raises(GalleryIndexError, match=first):
        rollback(shop.index_files, "20200101T000000000000Z-00000000")
    shop.index_files.put(f"generations/{first}/vectors.npy", b"garbage")
    before = shop.index_files.get("current.json")
    with pytest.raises(GalleryIndexError, match=r"vectors\.npy"):
        rollback(shop.index_files)
    assert shop.index_files.get("current.json") == before


def test_without_an_older_generation_there_is_no_rollback(shop: Shop) -> None:
    generations(shop, 1)
    with pytest.raises(GalleryIndexError, match="no older generation"):
        rollback(shop.index_files)


def cleaned(shop: Shop, after: timedelta) -> None:
    clean(shop.index_files, datetime.now(UTC) + after)


def test_the_last_generations_stay_at_any_age(shop: Shop) -> None:
    ids = generations(shop, KEEP_GENERATIONS + 3)
    everything = shop.paths()
    cleaned(shop, timedelta(hours=23))
    assert shop.paths() == everything, "within a day, somebody may still use any of it"
    cleaned(shop, timedelta(hours=25))
    left = {path.split("/")[1] for path in shop.paths("generations/")}
    assert left == set(ids[-KEEP_GENERATIONS - 1 :])
    assert len(shop.load().gallery) == 8
    rollback(shop.index_files, ids[-KEEP_GENERATIONS - 1])


def test_the_day_counts_from_when_a_generation_was_superseded(shop: Shop) -> None:
    """A reader may have opened a generation a minute ago although it was current for a week."""
    first = generations(shop, 1)[0]
    for path in shop.paths(f"generations/{first}/"):
        age(shop, path, days=7)
    for number in range(KEEP_GENERATIONS + 1):
        shop.put({f"{number}.jpg": COLOURS[number]})
        shop.rebuild()
    assert f"generations/{first}/vectors.npy" in shop.paths()


def age(shop: Shop, path: str, days: float) -> None:
    file = Path(shop.index) / path
    then = file.stat().st_mtime - days * 86_400
    os.utime(file, (then, then))


def test_models_and_lost_generations_go_if_nothing_names_them(shop: Shop) -> None:
    shop.rebuild()
    model = shop.paths("models/")
    lost = {
        "models/" + "f" * 64 + ".tflite",
        "generations/20200101T000000000000Z-00000000/vectors.npy",
    }
    strangers = {"notes.txt", "other/file.bin"}
    for path in lost | strangers:
        shop.index_files.put(path, b"x")
    cleaned(shop, timedelta(hours=23))
    assert lost <= set(shop.paths())
    cleaned(shop, timedelta(hours=25))
    assert not lost & set(shop.paths())
    assert strangers <= set(shop.paths()), "only files that this library writes are deleted"
    assert shop.paths("models/") == model


def test_the_model_of_a_kept_generation_stays(shop: Shop) -> None:
    first = generations(shop, 1)[0]
    shop.rebuild(model=OTHER_MODEL)
    cleaned(shop, timedelta(days=30))
    rollback(shop.index_files, first)
    assert shop.load().gallery.dimension == 48


def test_a_late_clean_up_spares_a_generation_that_was_rolled_back_to(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = generations(shop, KEEP_GENERATIONS + 3)
    real = LocalWriter.list

    def rolled_back_meanwhile(self: LocalWriter, prefix: str = "") -> object:
        if prefix == "checkpoints/":  # the clean-up's last listing
            rollback(shop.index_files, ids[0])
        return real(self, prefix)

    monkeypatch.setattr(LocalWriter, "list", rolled_back_meanwhile)
    cleaned(shop, timedelta(hours=25))
    assert shop.load().manifest.generation == ids[0]


def test_an_error_of_the_clean_up_does_not_fail_the_rebuild(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(self: LocalWriter, keys: object) -> None:
        raise StorageError("access denied")

    monkeypatch.setattr(LocalWriter, "delete", denied)
    assert shop.rebuild().outcome is Outcome.PUBLISHED
    assert "published, but" in caplog.text


def test_a_damaged_past_manifest_keeps_models_and_stops_nothing(shop: Shop) -> None:
    first = generations(shop, 2)[0]
    shop.index_files.put(f"generations/{first}/manifest.json", b"garbage")
    shop.rebuild(model=OTHER_MODEL)
    with pytest.raises(GalleryIndexError, match="damaged"):
        cleaned(shop, timedelta(days=30))
    assert len(shop.paths("models/")) == 2
    shop.put({"another.jpg": "red"})
    assert shop.rebuild(model=None).outcome is Outcome.PUBLISHED


def test_rollback_from_a_damaged_pointer(shop: Shop) -> None:
    first, _ = generations(shop, 2)
    shop.index_files.put("current.json", b"garbage")
    rollback(shop.index_files, first)
    assert len(shop.load().gallery) == 3


def test_files_that_storage_alters_are_not_published(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    real = LocalWriter.put

    def flips_a_bit(self: LocalWriter, key: str, data: bytes, **options: Any) -> None:
        real(self, key, data[:-1] + b"?" if key.endswith("vectors.npy") else data, **options)

    monkeypatch.setattr(LocalWriter, "put", flips_a_bit)
    shop.put({"new.jpg": "black"})
    with pytest.raises(CorruptIndexError, match=r"vectors\.npy"):
        shop.rebuild()
    assert len(shop.load().gallery) == 3


def test_a_lost_answer_to_the_swap_is_success(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LocalWriter.compare_and_set

    def answer_is_lost(self: LocalWriter, *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        raise StorageError("the connection broke")

    monkeypatch.setattr(LocalWriter, "compare_and_set", answer_is_lost)
    summary = shop.rebuild()
    assert summary.outcome is Outcome.PUBLISHED
    assert shop.load().manifest.generation == summary.generation
    assert len(shop.paths("generations/")) == 3, "nothing was done twice"


def test_a_swap_that_storage_refuses_is_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, refusals = LocalWriter.compare_and_set, [StorageError("HTTP 429"), ConflictError("HTTP 409")]
    waited: list[float] = []

    def busy(self: LocalWriter, *arguments: Any, **options: Any) -> None:
        if refusals:
            raise refusals.pop()
        assert options == {"content_type": "application/json", "cache_control": "no-store"}
        real(self, *arguments, **options)

    monkeypatch.setattr(LocalWriter, "compare_and_set", busy)
    monkeypatch.setattr("time.sleep", waited.append)
    shop.index_files.put(POINTER, b"damaged")
    assert shop.rebuild(full=True).outcome is Outcome.PUBLISHED
    assert len(shop.load().gallery) == 3
    assert len(waited) == 2
    assert all(1 <= seconds <= 2 for seconds in waited), "Google allows one write a second to an object"


def test_a_swap_that_storage_refuses_again_and_again_is_an_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shop.rebuild().generation
    shop.put({"new.jpg": "black"})
    tried = []

    def refused(self: LocalWriter, *arguments: Any, **options: Any) -> None:
        tried.append(arguments)
        raise StorageError("HTTP 503")

    monkeypatch.setattr(LocalWriter, "compare_and_set", refused)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(StorageError, match="HTTP 503"):
        shop.rebuild()
    assert len(tried) == 4
    assert shop.load().manifest.generation == before


def test_unfinished_work_is_deleted_as_a_whole_a_week_after_its_last_file(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"new.jpg": "pink"})
    old = datetime.now(UTC) - timedelta(days=8)
    for name in ("slow", "given-up"):
        for number in (1, 2):
            shop.rebuild(run=name, shard=Shard(number, 3))
    for path in ("checkpoints/slow-1/a.npz", "checkpoints/slow-1/b.npz", "checkpoints/given-up-1/a.npz"):
        shop.index_files.put(path, b"x")
    for path in [*shop.paths("runs/"), *shop.paths("checkpoints/")]:
        if path not in ("runs/slow/2-of-3.npz", "checkpoints/slow-1/b.npz"):
            os.utime(Path(shop.index) / path, (old.timestamp(), old.timestamp()))
    for after in (timedelta(), timedelta(days=6)):
        cleaned(shop, after)
        assert shop.paths("runs/") == ["runs/slow/1-of-3.npz", "runs/slow/2-of-3.npz", "runs/slow/run.json"]
        assert shop.paths("checkpoints/") == ["checkpoints/slow-1/a.npz", "checkpoints/slow-1/b.npz"]
    cleaned(shop, timedelta(days=7, hours=1))
    assert shop.paths("runs/") == shop.paths("checkpoints/") == []

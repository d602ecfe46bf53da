"""Shard runs: the shards, and the merge that publishes their results."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import GalleryIndexError, StorageError, UnavailableError
from embeddings.index.history import rollback
from embeddings.index.manifest import VECTORS
from embeddings.index.publish import publish, read_pointer
from embeddings.rebuild import Outcome, Shard, Summary, matrix, shard_run
from embeddings.storage.reader import Fetched, Reader
from embeddings.storage.writers.local import LocalWriter
from tests.rebuild.gallery import OTHER_MODEL, Shop
from tests.rebuild.shards import MANY, merge, shard, shards


def matrix_file(shop: Shop) -> bytes:
    manifest = shop.load().manifest
    return shop.index_files.get(manifest.path(VECTORS)).data


# Which key belongs to which shard.


@pytest.mark.parametrize(
    ("key", "of_2", "of_3", "of_16", "of_1000"),
    [
        ("shirts/red.jpg", 2, 3, 10, 218),
        ("hüte/grün & 50%+.jpg", 2, 1, 14, 46),
        ("\udce9.jpg", 1, 3, 15, 911),
    ],
)
def test_a_key_belongs_to_the_same_shard_on_all_machines(
    key: str, of_2: int, of_3: int, of_16: int, of_1000: int
) -> None:
    for count, number in ((2, of_2), (3, of_3), (16, of_16), (1000, of_1000)):
        assert [each for each in range(1, count + 1) if key in Shard(each, count)] == [number]


def test_shards_are_about_equally_large() -> None:
    keys = [f"garments/photo-{number:08}.jpg" for number in range(16_000)]
    sizes = [sum(key in Shard(number, 16) for key in keys) for number in range(1, 17)]
    assert sum(sizes) == len(keys)
    assert 900 < min(sizes) <= max(sizes) < 1100


@pytest.mark.parametrize(
    "text",
    ["", "x", "3", "0/4", "5/4", "1/0", "0/0", "-1/4", "1/-4", "1/4/2", "1.5/4", " 1/4", "1/10001", "²/4", "٣/4"],
)
def test_an_impossible_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is not a shard[;:] .*\d"):
        Shard.parse(text)


def test_a_shard_survives_writing_and_reading() -> None:
    for text in ("1/1", "3/16", "10000/10000"):
        assert str(Shard.parse(text)) == text


# Results.


def test_merged_shards_equal_the_result_of_one_rebuild(any_shop: Shop, tmp_path: Path) -> None:
    any_shop.put(MANY | {"bad.jpg": b"no photo"})
    alone = Shop(any_shop.gallery, str(tmp_path / "alone"))
    whole = alone.rebuild()
    summaries = shards(any_shop, 3)
    assert {each.outcome for each in summaries} == {Outcome.SHARD_DONE}
    assert [sum(getattr(each, name) for each in summaries) for name in ("count", "added", "failed", "embedded")] == [
        13,
        13,
        1,
        14,
    ]
    assert read_pointer(any_shop.index_files).version is None, "nothing is published yet"
    merged = merge(any_shop)
    assert (merged.outcome, merged.embedded) == (Outcome.PUBLISHED, 0)
    assert (merged.count, merged.added, merged.refusals) == (whole.count, whole.added, whole.refusals)
    assert list(merged.refusals) == ["bad.jpg"]
    assert list(any_shop.load().gallery.keys) == list(alone.load().gallery.keys)
    assert matrix_file(any_shop) == matrix_file(alone)
    assert any_shop.paths("runs/") == ["runs/first/run.json"]
    assert any_shop.paths("checkpoints/") == []
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED
    assert merge(any_shop).outcome is Outcome.UNCHANGED, "a repeated merge does no harm"


@pytest.mark.parametrize("count", [1, 40])
def test_one_shard_and_more_shards_than_photos(shop: Shop, count: int) -> None:
    assert sum(each.embedded for each in shards(shop, count)) == 3
    assert (merge(shop).embedded, len(shop.load().gallery)) == (0, 3)


def test_a_shard_embeds_only_what_is_new_to_the_index(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"new.jpg": "pink", "shirts/red.jpg": "purple"})
    shop.photos.delete(["shoes/green.jpg"])
    summaries = shards(shop, 2)
    assert [sum(getattr(each, name) for each in summaries) for name in ("added", "changed", "removed", "embedded")] == [
        1,
        1,
        1,
        2,
    ]
    merged = merge(shop)
    assert (merged.added, merged.changed, merged.removed, merged.embedded) == (1, 1, 1, 0)


def test_a_run_of_another_model_embeds_everything(shop: Shop) -> None:
    shop.rebuild()
    assert sum(each.embedded for each in shards(shop, 2, model=OTHER_MODEL)) == 3
    assert shop.load().gallery.dimension == 48
    assert merge(shop, model=OTHER_MODEL).outcome is Outcome.PUBLISHED
    assert shop.load().gallery.dimension == 12


def test_a_full_run_repairs_a_damaged_index(shop: Shop) -> None:
    shop.rebuild()
    shop.index_files.put("current.json", b"garbage")
    assert sum(each.embedded for each in shards(shop, 2, full=True)) == 3
    assert merge(shop, full=True).embedded == 0
    assert len(shop.load().gallery) == 3


def test_a_run_may_cover_one_folder(shop: Shop) -> None:
    assert sum(each.embedded for each in shards(shop, 2, prefix="shirts")) == 2
    assert (merge(shop, prefix="shirts").count, shop.rebuild().embedded) == (2, 1)


def test_a_run_with_nothing_to_do_publishes_nothing(shop: Shop) -> None:
    shop.rebuild()
    assert sum(each.embedded for each in shards(shop, 2)) == 0
    assert merge(shop).outcome is Outcome.UNCHANGED
    assert shop.paths("runs/") == ["runs/first/run.json"]


# Repeated, at the same time, out of time.


def test_a_repeated_shard_embeds_only_what_has_changed(shop: Shop) -> None:
    shop.put(MANY)
    first = shard(shop, 1, 2)
    again = shard(shop, 1, 2)
    assert (first.embedded > 3, again.embedded, again.count) == (True, 0, first.count)
    mine = next(key for key in MANY if key in Shard(1, 2))
    shop.put({mine: "white"})
    assert shard(shop, 1, 2).embedded == 1
    shard(shop, 2, 2)
    assert merge(shop).embedded == 0


def test_a_shard_out_of_time_resumes(shop: Shop) -> None:
    shop.put({"a.jpg": "navy"})
    first = shard(shop, 1, 1, stop_at=time.monotonic())
    assert (first.outcome, first.embedded, first.remaining) == (Outcome.UNFINISHED, 1, 3)
    with pytest.raises(GalleryIndexError, match="1/1 missing"):
        merge(shop)
    done = shard(shop, 1, 1)
    assert (done.outcome, done.embedded) == (Outcome.SHARD_DONE, 3)
    assert shop.paths("runs/") == ["runs/first/1-of-1.npz", "runs/first/run.json"]
    assert merge(shop).embedded == 0


def begun_at_once(monkeypatch: pytest.MonkeyPatch, *calls: Callable[[], Summary]) -> list[Summary | BaseException]:
    """Let all calls find no run and begin it; return how each ends."""
    together = threading.Barrier(len(calls))
    create = shard_run.ShardPart._created

    def created(self: shard_run.ShardPart, *arguments: Any) -> Any:
        together.wait(20)
        return create(self, *arguments)

    monkeypatch.setattr(shard_run.ShardPart, "_created", created)
    with ThreadPoolExecutor(len(calls)) as pool:
        begun = [pool.submit(call) for call in calls]
        return [each.exception() or each.result() for each in begun]


def test_two_shards_may_begin_a_run_at_once(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun_at_once(monkeypatch, lambda: shard(any_shop, 1, 2), lambda: shard(any_shop, 2, 2))
    assert merge(any_shop).count == 3


def test_one_of_two_first_shards_that_disagree_is_refused(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = begun_at_once(monkeypatch, lambda: shard(any_shop, 1, 2), lambda: shard(any_shop, 1, 3))
    assert [isinstance(each, GalleryIndexError) for each in (one, other)].count(True) == 1


def test_a_run_begins_although_the_answer_to_its_record_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write = LocalWriter.compare_and_set

    def lost(self: LocalWriter, *arguments: Any, **options: Any) -> None:
        write(self, *arguments, **options)
        raise UnavailableError("no answer")

    monkeypatch.setattr(LocalWriter, "compare_and_set", lost)
    assert shard(shop, 1, 1).outcome is Outcome.SHARD_DONE


def test_two_merges_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts vanish while the second merge reads them."""
    shards(shop, 2)
    read, met = shard_run.ShardMerge._read, list[bool]()

    def late(self: shard_run.ShardMerge, *arguments: Any) -> Any:
        if not met:
            met.append(True)
            assert merge(shop).outcome is Outcome.PUBLISHED
        return read(self, *arguments)

    monkeypatch.setattr(shard_run, "_READERS", 1)
    monkeypatch.setattr(shard_run.ShardMerge, "_read", late)
    summary = merge(shop)
    assert (summary.outcome, summary.embedded) == (Outcome.UNCHANGED, 0)
    assert len(shop.load().gallery) == 3


# Changes of the gallery and the index during a run.


def test_the_merge_embeds_what_changes_after_its_shard(shop: Shop) -> None:
    shards(shop, 2)
    shop.photos.delete(["shoes/green.jpg"])
    shop.put({"shirts/red.jpg": "purple", "new.jpg": "pink"})
    merged = merge(shop)
    assert (merged.embedded, merged.count) == (2, 3)
    fresh = shop.load().embedder.embed([shop.photos.get("shirts/red.jpg").data])[0]
    assert shop.load().gallery.search(fresh, k=1) == [("shirts/red.jpg", pytest.approx(1, abs=1e-3))]


@pytest.mark.parametrize("any_shop", ["folder", "gs"], indirect=True)
def test_a_merge_while_another_rebuild_publishes(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    any_shop.rebuild()
    any_shop.put(MANY)
    shards(any_shop, 2)
    any_shop.put({"event.jpg": "white"})
    met: list[bool] = []

    def after_another(*arguments: Any, **options: Any) -> Any:
        if not met:
            met.append(True)
            any_shop.photos.delete(["shoes/green.jpg"])
            assert any_shop.rebuild(keys=["event.jpg", "shoes/green.jpg"]).outcome is Outcome.PUBLISHED
        return publish(*arguments, **options)

    monkeypatch.setattr(matrix, "publish", after_another)
    merged = merge(any_shop)
    assert (merged.outcome, merged.embedded) == (Outcome.PUBLISHED, 1), "the event's photo, at the first attempt"
    assert set(any_shop.load().gallery.keys) == {*MANY, "event.jpg", "shirts/red.jpg", "shirts/blue.jpg"}


def test_a_held_index_is_left_alone(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"new.jpg": "pink"})
    shop.rebuild()
    shards(shop, 2)
    rollback(shop.index_files)
    assert merge(shop).outcome is shard(shop, 1, 2).outcome is Outcome.HELD
    assert "runs/first/1-of-2.npz" in shop.paths("runs/")


def test_the_merge_tries_photos_again_that_storage_did_not_give(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Reader.get

    def fails(self: Reader, key: str, **options: Any) -> Fetched:
        if key == "shirts/red.jpg":
            raise StorageError("timeout")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fails)
    assert sum(each.failed for each in shards(shop, 2)) == 1
    monkeypatch.setattr(Reader, "get", real)
    merged = merge(shop)
    assert (merged.embedded, merged.count, merged.failed) == (1, 3, 0)

"""Shards of a run, and the merge that publishes what they have embedded."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedder import Embedder
from embeddings.errors import GalleryIndexError, StorageError, UnavailableError
from embeddings.index.history import rollback
from embeddings.index.manifest import VECTORS
from embeddings.index.publish import read_current
from embeddings.rebuild import Outcome, Shard, Summary, parts, run
from embeddings.storage.folder import FolderWriter
from embeddings.storage.reader import Fetched, Reader
from tests.rebuild.gallery import MODEL, OTHER_MODEL, Shop

COLOURS = ["pink", "black", "navy", "olive", "teal", "gold", "grey", "orange", "purple", "brown"]
MANY = {f"{number}.jpg": colour for number, colour in enumerate(COLOURS)}


def shards(shop: Shop, count: int, **options: Any) -> list[Summary]:
    return [shard(shop, number, count, **options) for number in range(1, count + 1)]


def shard(shop: Shop, number: int, count: int, **options: Any) -> Summary:
    return shop.rebuild(**{"run": "first", "shard": Shard(number, count), **options})


def merge(shop: Shop, **options: Any) -> Summary:
    return shop.rebuild(**{"run": "first", **options})


def matrix(shop: Shop) -> bytes:
    manifest = shop.load().manifest
    return shop.index_files.get(manifest.path(VECTORS)).data


def part(shop: Shop, number: int, count: int) -> str:
    path = f"runs/first/{number}-of-{count}.npz"
    assert path in shop.paths("runs/")
    return path


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
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'.*' is no shard[;:] .*\d"):
        Shard.parse(text)


def test_a_shard_reads_as_it_is_written() -> None:
    for text in ("1/1", "3/16", "10000/10000"):
        assert str(Shard.parse(text)) == text


# What comes of them.


def test_merged_shards_are_what_one_rebuild_makes(any_shop: Shop, tmp_path: Path) -> None:
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
    assert read_current(any_shop.index_files).version is None, "nothing is published yet"
    merged = merge(any_shop)
    assert (merged.outcome, merged.embedded) == (Outcome.PUBLISHED, 0)
    assert (merged.count, merged.added, merged.failures) == (whole.count, whole.added, whole.failures)
    assert list(merged.failures) == ["bad.jpg"]
    assert list(any_shop.load().gallery.keys) == list(alone.load().gallery.keys)
    assert matrix(any_shop) == matrix(alone)
    assert any_shop.paths("runs/") == ["runs/first/run.json"]
    assert any_shop.paths("checkpoints/") == []
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED
    assert merge(any_shop).outcome is Outcome.UNCHANGED, "a merge that is repeated does no harm"


@pytest.mark.parametrize("count", [1, 40])
def test_one_shard_and_more_shards_than_photos(shop: Shop, count: int) -> None:
    assert sum(each.embedded for each in shards(shop, count)) == 3
    assert (merge(shop).embedded, len(shop.load().gallery)) == (0, 3)


def test_a_shard_does_what_is_new_to_the_index_only(shop: Shop) -> None:
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


def test_a_full_run_mends_a_damaged_index(shop: Shop) -> None:
    shop.rebuild()
    shop.index_files.put("current.json", b"garbage")
    assert sum(each.embedded for each in shards(shop, 2, full=True)) == 3
    assert merge(shop, full=True).embedded == 0
    assert len(shop.load().gallery) == 3


def test_a_run_may_be_about_one_folder(shop: Shop) -> None:
    assert sum(each.embedded for each in shards(shop, 2, prefix="shirts")) == 2
    assert (merge(shop, prefix="shirts").count, shop.rebuild().embedded) == (2, 1)


def test_a_run_with_nothing_to_do_publishes_nothing(shop: Shop) -> None:
    shop.rebuild()
    assert sum(each.embedded for each in shards(shop, 2)) == 0
    assert merge(shop).outcome is Outcome.UNCHANGED
    assert shop.paths("runs/") == ["runs/first/run.json"]


# Again, at once, without time.


def test_a_shard_that_is_repeated_embeds_only_what_has_changed(shop: Shop) -> None:
    shop.put(MANY)
    first = shard(shop, 1, 2)
    again = shard(shop, 1, 2)
    assert (first.embedded > 3, again.embedded, again.count) == (True, 0, first.count)
    mine = next(key for key in MANY if key in Shard(1, 2))
    shop.put({mine: "white"})
    assert shard(shop, 1, 2).embedded == 1
    shard(shop, 2, 2)
    assert merge(shop).embedded == 0


def test_a_shard_without_time_goes_on_where_it_stopped(shop: Shop) -> None:
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
    """All of them find no run, and all begin it; how each one ends."""
    together = threading.Barrier(len(calls))
    create = parts.Parts._created

    def created(self: parts.Parts, *arguments: Any) -> Any:
        together.wait(20)
        return create(self, *arguments)

    monkeypatch.setattr(parts.Parts, "_created", created)
    with ThreadPoolExecutor(len(calls)) as pool:
        begun = [pool.submit(call) for call in calls]
        return [each.exception() or each.result() for each in begun]


def test_the_first_shards_of_a_run_meet(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    begun_at_once(monkeypatch, lambda: shard(any_shop, 1, 2), lambda: shard(any_shop, 2, 2))
    assert merge(any_shop).count == 3


def test_of_first_shards_that_do_not_fit_one_is_refused(any_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = begun_at_once(monkeypatch, lambda: shard(any_shop, 1, 2), lambda: shard(any_shop, 1, 3))
    assert [isinstance(each, GalleryIndexError) for each in (one, other)].count(True) == 1


def test_the_record_of_a_run_whose_answer_is_lost(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write = FolderWriter.compare_and_set

    def lost(self: FolderWriter, *arguments: Any, **options: Any) -> None:
        write(self, *arguments, **options)
        raise UnavailableError("no answer")

    monkeypatch.setattr(FolderWriter, "compare_and_set", lost)
    assert shard(shop, 1, 1).outcome is Outcome.SHARD_DONE


def test_two_merges_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one finds the parts gone while it reads them."""
    shards(shop, 2)
    read, met = parts.Parts._read, []

    def late(self: parts.Parts, *arguments: Any) -> Any:
        if not met:
            met.append(True)
            assert merge(shop).outcome is Outcome.PUBLISHED
        return read(self, *arguments)

    monkeypatch.setattr(parts, "_READERS", 1)
    monkeypatch.setattr(parts.Parts, "_read", late)
    summary = merge(shop)
    assert (summary.outcome, summary.embedded) == (Outcome.UNCHANGED, 0)
    assert len(shop.load().gallery) == 3


# The gallery and the index go on meanwhile.


def test_what_changes_in_the_gallery_after_its_shard_is_embedded_by_the_merge(shop: Shop) -> None:
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
    publish, met = run.publish, []

    def after_another(*arguments: Any, **options: Any) -> Any:
        if not met:
            met.append(True)
            any_shop.photos.delete(["shoes/green.jpg"])
            assert any_shop.rebuild(keys=["event.jpg", "shoes/green.jpg"]).outcome is Outcome.PUBLISHED
        return publish(*arguments, **options)

    monkeypatch.setattr(run, "publish", after_another)
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


def test_a_photo_that_storage_did_not_give_its_shard_is_asked_for_by_the_merge(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Reader.get

    def fails(self: Reader, key: str, **options: object) -> Fetched:
        if key == "shirts/red.jpg":
            raise StorageError("timeout")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fails)
    assert sum(each.failed for each in shards(shop, 2)) == 1
    monkeypatch.setattr(Reader, "get", real)
    merged = merge(shop)
    assert (merged.embedded, merged.count, merged.failed) == (1, 3, 0)


# What does not fit.


def test_a_merge_names_the_shards_that_are_missing_and_how_to_run_them(shop: Shop) -> None:
    with pytest.raises(GalleryIndexError, match="there is no run first in this index"):
        merge(shop)
    shard(shop, 2, 3)
    with pytest.raises(GalleryIndexError) as refused:
        merge(shop)
    assert str(refused.value) == (
        "run first is not complete, nothing was published: 1/3 missing, 3/3 missing. For each, run this command with "
        "--shard 1/3 --run first in place of --merge first; then merge again"
    )
    assert shop.paths("generations/") == []


def test_of_many_missing_shards_some_are_named(shop: Shop) -> None:
    shard(shop, 1, 500)
    with pytest.raises(GalleryIndexError, match="10/500 missing, 11/500 missing and 489 more"):
        merge(shop)


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "flipped vectors", "of another run"])
def test_a_part_that_cannot_be_taken_is_named_and_made_again(shop: Shop, damage: str) -> None:
    shop.put(MANY)
    shards(shop, 2)
    path = part(shop, 1, 2)
    good = shop.index_files.get(path).data
    spoilt = {
        "garbage": b"garbage",
        "cut": good[: len(good) // 2],
        "empty": b"",
        "flipped vectors": good.replace(good[-900:-890], bytes(255 - each for each in good[-900:-890])),
    }
    if damage == "of another run":
        shard(shop, 1, 2, run="second")
        spoilt[damage] = shop.index_files.get("runs/second/1-of-2.npz").data
    shop.index_files.put(path, spoilt[damage])
    why = "of another run" if damage == "of another run" else "damaged"
    with pytest.raises(GalleryIndexError, match=f"1/2 {why}. For each, .*--shard 1/2 --run first"):
        merge(shop)
    assert shard(shop, 1, 2).embedded > 0
    assert (merge(shop).embedded, len(shop.load().gallery)) == (0, 13)


def test_a_flipped_byte_anywhere_in_a_part_is_noticed_or_harmless(shop: Shop) -> None:
    shards(shop, 1)
    path = part(shop, 1, 1)
    good = shop.index_files.get(path).data
    opened = parts.Parts(shop.index_files, "first", None).open
    sha256 = Embedder(MODEL).sha256
    expected = {key: (etag, vector.tobytes()) for key, (etag, vector) in opened(sha256)._results.items()}  # type: ignore[union-attr]
    noticed = 0
    for at in range(0, len(good), 23):
        shop.index_files.put(path, good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            results = opened(sha256)._results
        except GalleryIndexError:
            noticed += 1
        else:
            assert {key: (etag, vector.tobytes()) for key, (etag, vector) in results.items()} == expected  # type: ignore[union-attr]
    assert noticed > len(good) // 23 * 0.6


def test_a_run_has_one_number_of_shards_and_one_model(shop: Shop) -> None:
    shards(shop, 2)
    with pytest.raises(GalleryIndexError, match="run first has 2 shards, not 3: give one of 1/2 to 2/2"):
        shard(shop, 3, 3)
    with pytest.raises(GalleryIndexError, match=r"run first embeds with the model .* give the same --model"):
        shard(shop, 1, 2, model=OTHER_MODEL)
    for model in (OTHER_MODEL, None):  # None is the bundled one
        with pytest.raises(GalleryIndexError, match=r"run first embeds with the model .* give the same --model"):
            merge(shop, model=model)
    assert merge(shop).embedded == 0
    with pytest.raises(GalleryIndexError, match="run first is merged already, so take another run id"):
        shard(shop, 1, 2)
    assert shard(shop, 1, 3, run="second").outcome is Outcome.SHARD_DONE


def test_a_merge_that_forgets_the_new_model_does_not_throw_its_shards_away(shop: Shop) -> None:
    """All photos are in the index already, with the old one, so there would be nothing to do."""
    shop.rebuild()
    shards(shop, 2, model=OTHER_MODEL)
    with pytest.raises(GalleryIndexError, match="give the same --model"):
        merge(shop, model=None)
    assert merge(shop, model=OTHER_MODEL).embedded == 0


def test_a_merge_of_another_folder_does_not_throw_its_shards_away(shop: Shop) -> None:
    shop.put({"shirts/a.jpg": "red", "shirts/b.jpg": "blue"})
    shards(shop, 2)
    for again in (lambda: merge(shop, prefix="shirts"), lambda: shard(shop, 1, 2, prefix="shirts")):
        with pytest.raises(
            GalleryIndexError, match=r"run first looks at the whole gallery, and .* at the folder shirts/"
        ):
            again()
    assert merge(shop).embedded == 0
    shop.put({"shirts/c.jpg": "green", "d.jpg": "pink"})
    assert shard(shop, 1, 1, run="second", prefix="shirts").embedded == 1
    with pytest.raises(GalleryIndexError, match="at the folder shirts/, and this would at the whole gallery"):
        merge(shop, run="second")
    assert merge(shop, run="second", prefix="shirts").outcome is Outcome.PUBLISHED


def test_a_run_of_another_preprocessing_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shards(shop, 2)
    monkeypatch.setattr(parts, "PREPROCESS_VERSION", 2)
    for again in (lambda: shard(shop, 1, 2), lambda: merge(shop)):
        with pytest.raises(GalleryIndexError, match="version 1 of the preprocessing, this is version 2"):
            again()


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b'{"shards": 2}',
        b'{"shards": "x", "model": "m", "preprocess": 1}',
        b'{"shards": 0, "model": "m", "preprocess": 1}',
        b'{"shards": "2", "model": "m", "preprocess": 1}',
        b'{"shards": 2, "model": 5, "preprocess": 1}',
        b'{"shards": 2, "model": "m", "preprocess": 1, "prefix": null}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_record_is_an_error(shop: Shop, record: bytes) -> None:
    shop.index_files.put("runs/first/run.json", record)
    for again in (lambda: shard(shop, 1, 2), lambda: merge(shop)):
        with pytest.raises(GalleryIndexError, match=r"runs/first/run\.json of the index is damaged .*another run id"):
            again()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "/", "a b", "ä", "-x", "x" * 65, "a\n"])
def test_what_is_no_run_id_is_refused(shop: Shop, name: str) -> None:
    for options in ({"shard": Shard(1, 1)}, {}):
        with pytest.raises(GalleryIndexError, match="is no run id; give up to 64 letters"):
            shop.rebuild(run=name, **options)
    assert not Path(shop.index).exists()


def test_a_shard_without_a_run_is_a_mistake_of_the_caller(shop: Shop) -> None:
    with pytest.raises(ValueError, match="one of a run"):
        shop.rebuild(shard=Shard(1, 2))

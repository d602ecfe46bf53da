"""Errors of shard runs: missing and damaged parts, differing options, damaged records."""

from pathlib import Path

import pytest

from embeddings.embedder import Embedder
from embeddings.errors import GalleryIndexError
from embeddings.rebuild import Outcome, Shard, shard_run
from tests.rebuild.gallery import MODEL, OTHER_MODEL, Shop
from tests.rebuild.shards import MANY, merge, part, shard, shards


def test_a_merge_names_the_shards_that_are_missing_and_how_to_run_them(shop: Shop) -> None:
    with pytest.raises(GalleryIndexError, match="there is no run first in this index"):
        merge(shop)
    shard(shop, 2, 3)
    with pytest.raises(GalleryIndexError) as refused:
        merge(shop)
    assert str(refused.value) == (
        "run first is not complete, so nothing was published: 1/3 missing, 3/3 missing. For each, run this command "
        "with --shard 1/3 --run first in place of --merge first; then merge again"
    )
    assert shop.paths("generations/") == []


def test_ten_of_many_missing_shards_are_named(shop: Shop) -> None:
    shard(shop, 1, 500)
    with pytest.raises(GalleryIndexError, match="10/500 missing, 11/500 missing and 489 more"):
        merge(shop)


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "flipped vectors", "of another run"])
def test_an_unusable_part_is_named_and_can_be_made_again(shop: Shop, damage: str) -> None:
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
    opened = shard_run.ShardMerge(shop.index_files, "first", "").open
    embedder = Embedder(MODEL)
    expected = {key: (etag, result.vector.tobytes()) for key, (etag, result) in opened(embedder)._results.items()}  # type: ignore[union-attr]
    noticed = 0
    for at in range(0, len(good), 23):
        shop.index_files.put(path, good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            results = opened(embedder)._results
        except GalleryIndexError:
            noticed += 1
        else:
            assert {key: (etag, result.vector.tobytes()) for key, (etag, result) in results.items()} == expected  # type: ignore[union-attr]
    assert noticed > len(good) // 23 * 0.6


def test_a_run_has_one_number_of_shards_and_one_model(shop: Shop) -> None:
    shards(shop, 2)
    with pytest.raises(GalleryIndexError, match="run first has 2 shards, not 3: give one of 1/2 to 2/2"):
        shard(shop, 3, 3)
    with pytest.raises(GalleryIndexError, match=r"run first uses the model .* give the same --model"):
        shard(shop, 1, 2, model=OTHER_MODEL)
    for model in (OTHER_MODEL, None):  # None means the bundled model
        with pytest.raises(GalleryIndexError, match=r"run first uses the model .* give the same --model"):
            merge(shop, model=model)
    assert merge(shop).embedded == 0
    with pytest.raises(GalleryIndexError, match="run first is merged already; take another run id"):
        shard(shop, 1, 2)
    assert shard(shop, 1, 3, run="second").outcome is Outcome.SHARD_DONE


def test_a_merge_that_forgets_the_new_model_does_not_throw_its_shards_away(shop: Shop) -> None:
    """The index has all photos already, with the old model, so the merge would find nothing to do."""
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
            GalleryIndexError, match=r"run first covers the whole gallery, this command the folder shirts/"
        ):
            again()
    assert merge(shop).embedded == 0
    shop.put({"shirts/c.jpg": "green", "d.jpg": "pink"})
    assert shard(shop, 1, 1, run="second", prefix="shirts").embedded == 1
    with pytest.raises(GalleryIndexError, match="covers the folder shirts/, this command the whole gallery"):
        merge(shop, run="second")
    assert merge(shop, run="second", prefix="shirts").outcome is Outcome.PUBLISHED


def test_a_run_of_another_preprocessing_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shards(shop, 2)
    monkeypatch.setattr(shard_run, "PREPROCESS_VERSION", 99)
    for again in (lambda: shard(shop, 1, 2), lambda: merge(shop)):
        with pytest.raises(GalleryIndexError, match="version 2 of the preprocessing, this program version 99"):
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
def test_an_impossible_run_id_is_refused(shop: Shop, name: str) -> None:
    for options in ({"shard": Shard(1, 1)}, {}):
        with pytest.raises(GalleryIndexError, match="is not a run id; give up to 64 letters"):
            shop.rebuild(run=name, **options)
    assert not Path(shop.index).exists()


def test_a_shard_needs_a_run(shop: Shop) -> None:
    with pytest.raises(ValueError, match="one of a run"):
        shop.rebuild(shard=Shard(1, 2))

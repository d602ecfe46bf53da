"""Shards that put vectors into the engine, and the merge that publishes them."""

from pathlib import Path

import pytest

from embeddings.errors import GalleryIndexError
from embeddings.rebuild import Outcome, Shard
from tests.rebuild.gallery import OTHER_MODEL
from tests.s3_vectors.conftest import BUCKET, S3VectorsShop

PHOTOS = {f"many/{number:02}.jpg": f"#{number:02x}{255 - number:02x}80" for number in range(9)}
COUNT = 3


@pytest.mark.parametrize("model", [None, OTHER_MODEL], ids=["a first fill", "another model"])
def test_shards_put_and_the_merge_publishes(model: object, shop: S3VectorsShop) -> None:
    if model is not None:
        shop.rebuild()
    before = model and shop.manifest
    shop.put(PHOTOS)
    options = {"model": model} if model else {}
    embedded = 0
    for number in (1, 2, 2, 3):  # one of them twice
        summary = shop.rebuild(run="first", shard=Shard(number, COUNT), **options)
        assert summary.outcome == Outcome.SHARD_DONE
        embedded += summary.embedded
    assert embedded == len(PHOTOS) + 3
    left = shop.paths() if before else []
    assert (shop.manifest == before) if before else not Path(shop.index).exists()  # neither pointer nor parts
    assert not [path for path in left if path.startswith("runs/")]
    summary = shop.rebuild(run="first", **options)
    assert (summary.outcome, summary.embedded, summary.count) == (Outcome.PUBLISHED, 0, embedded)
    shop.is_true()


def test_the_merge_does_not_read_unreadable_photos_again(shop: S3VectorsShop) -> None:
    shop.put(PHOTOS | {f"{number}.jpg": b"no photo" for number in range(4)})
    assert sum(shop.rebuild(run="first", shard=Shard(number, COUNT)).failed for number in (1, 2, 3)) == 4
    summary = shop.rebuild(run="first")
    assert (summary.outcome, summary.embedded, summary.failed) == (Outcome.PUBLISHED, 0, 4)
    assert shop.paths("checkpoints/") == []


def test_full_shards_put_everything_again_and_their_merge_does_not(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.index_files.put("current.json", b"damaged")
    options = {"run": "first", "full": True}
    assert sum(shop.rebuild(**options, shard=Shard(number, COUNT)).embedded for number in (1, 2, 3)) == 3
    assert shop.rebuild(**options).embedded == 0
    shop.is_true()


def test_the_merge_embeds_what_the_shards_did_not(shop: S3VectorsShop) -> None:
    shop.put(PHOTOS)
    shop.rebuild(run="first", shard=Shard(1, COUNT))
    shop.photos.delete(["many/00.jpg", "many/01.jpg", "many/02.jpg"])
    summary = shop.rebuild(run="first")
    assert summary.embedded > 0
    shop.is_true()


def test_a_merge_in_s3_vectors_does_not_discard_shards_with_parts(shop: S3VectorsShop) -> None:
    one = {"run": "first", "shard": Shard(1, 1)}
    shop.rebuild(**one, vector_bucket="")
    for options in ({"run": "first"}, one):
        with pytest.raises(GalleryIndexError, match="without a vector bucket"):
            shop.rebuild(**options)
    shop.rebuild(run="first", vector_bucket="")
    assert shop.rebuild(run="first").outcome == Outcome.PUBLISHED  # and moves the vectors, as any rebuild does
    shop.is_true()


def test_a_shard_deletes_nothing(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.photos.delete(["shoes/green.jpg"])
    for number in range(1, COUNT + 1):
        shop.rebuild(run="second", shard=Shard(number, COUNT), model=None)
    assert "shoes/green.jpg" in shop.etags()
    shop.rebuild(run="second", model=None)
    shop.is_true()
    assert len(shop.engine.buckets[BUCKET]) == 1

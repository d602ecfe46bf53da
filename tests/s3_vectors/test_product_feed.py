"""Rebuilds with a product feed whose vectors are in S3 Vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedder import Embedder
from embeddings.errors import GalleryIndexError
from embeddings.index.manifest import FEED, PRODUCTS
from embeddings.products.where import parse_where
from embeddings.rebuild import FeedOptions, Outcome
from tests.rebuild.gallery import Shop
from tests.s3_vectors.changes import put_keys
from tests.s3_vectors.conftest import BUCKET, S3VectorsShop

HEADER = "id,title,image_link,price\n"
RED = "1,Red shirt,https://cdn.example/red.jpg,15.00 USD\n"
BLUE = "2,Blue shirt,https://cdn.example/blue.jpg,16.00 USD\n"


def put_feed(shop: S3VectorsShop, *rows: str) -> None:
    shop.photos.put("feed.csv", (HEADER + "".join(rows)).encode())


def prices(shop: S3VectorsShop) -> dict[str, float | None]:
    """The prices to filter by and to show, by key."""
    found = {}
    for key, each in sorted(shop.vectors.vectors.items()):
        price = each.metadata.get("product.price")
        shown = json.loads(each.metadata["product"])["price"]["value"] if "product" in each.metadata else None
        assert price == shown
        found[key] = price
    return found


def data(shop: S3VectorsShop) -> dict[str, list[float]]:
    return {key: list(each.data) for key, each in shop.vectors.vectors.items()}


def forbid_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Embedder, "describe", None)
    monkeypatch.setattr(Embedder, "describe_pixels", None)


def test_products_are_put_with_the_vectors(shop: S3VectorsShop) -> None:
    put_feed(shop, RED, BLUE, "4,Gone,https://cdn.example/gone.jpg,1 USD\n")
    summary = shop.rebuild()
    assert (summary.outcome, summary.count, summary.products) == (Outcome.PUBLISHED, 3, 2)
    assert [each.line for each in summary.row_refusals] == [4]
    assert prices(shop) == {"shirts/blue.jpg": 16, "shirts/red.jpg": 15, "shoes/green.jpg": None}
    assert len(put_keys(shop)) == 3, "each photo is put once"
    assert {PRODUCTS, FEED} <= shop.manifest.files.keys()
    again = shop.rebuild()
    assert (again.outcome, again.products, again.rows_failed_new) == (Outcome.UNCHANGED, 2, 0)


def test_a_changed_price_rewrites_metadata_and_embeds_nothing(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_feed(shop, RED, BLUE)
    shop.rebuild()
    before = data(shop)
    shop.engine.requests.clear()
    put_feed(shop, RED.replace("15.00", "9.50"), BLUE)
    forbid_embedding(monkeypatch)
    summary = shop.rebuild(keys=["feed.csv"])
    assert (summary.outcome, summary.embedded, summary.count) == (Outcome.PUBLISHED, 0, 3)
    assert put_keys(shop) == ["shirts/red.jpg"]
    assert prices(shop) == {"shirts/blue.jpg": 16, "shirts/red.jpg": 9.5, "shoes/green.jpg": None}
    assert data(shop) == before
    put_feed(shop, RED)
    shop.rebuild()
    assert prices(shop) == {"shirts/blue.jpg": None, "shirts/red.jpg": 15, "shoes/green.jpg": None}
    shop.rebuild(feed=FeedOptions("none"))
    assert set(prices(shop).values()) == {None}
    assert not {PRODUCTS, FEED} & shop.manifest.files.keys()


def test_an_event_keeps_products_and_the_schedule_gives_new_ones(shop: S3VectorsShop) -> None:
    put_feed(shop, RED, "4,New,https://cdn.example/new.jpg,1 USD\n")
    shop.rebuild()
    shop.put({"shirts/red.jpg": "orange", "new.jpg": "pink"})
    summary = shop.rebuild(keys=["shirts/red.jpg", "new.jpg"])
    assert (summary.outcome, summary.added, summary.changed) == (Outcome.PUBLISHED, 1, 1)
    assert prices(shop)["shirts/red.jpg"] == 15
    assert prices(shop)["new.jpg"] is None
    assert {PRODUCTS, FEED} <= shop.manifest.files.keys()
    assert shop.rebuild().products == 2
    assert prices(shop)["new.jpg"] == 1
    assert shop.rebuild().outcome is Outcome.UNCHANGED


def test_an_event_of_the_feed_that_runs_out_of_time_goes_on(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    put_feed(shop, RED, BLUE)
    monkeypatch.setattr("embeddings.rebuild.s3_vectors_products._BATCH", 1)
    summary = shop.rebuild(keys=[], stop_at=0)
    assert (summary.outcome, summary.remaining) == (Outcome.UNFINISHED, 1)
    assert shop.rebuild(keys=[], stop_at=0).outcome is Outcome.PUBLISHED
    assert prices(shop) == {"shirts/blue.jpg": 16, "shirts/red.jpg": 15, "shoes/green.jpg": None}


def test_a_feed_that_vanishes_keeps_the_last_one(shop: S3VectorsShop) -> None:
    put_feed(shop, RED)
    shop.rebuild()
    shop.photos.delete(["feed.csv"])
    for keys in (["feed.csv"], None):
        summary = shop.rebuild(keys=keys)
        assert (summary.outcome, summary.products) == (Outcome.UNCHANGED, 1)
        assert summary.feed_problem.startswith("feed.csv of the gallery: it is not there")
    assert prices(shop)["shirts/red.jpg"] == 15


def test_a_matrix_moves_with_its_products(shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch) -> None:
    put_feed(shop, RED)
    shop.rebuild(vector_bucket="")
    monkeypatch.setattr(Embedder, "describe", None)
    assert shop.rebuild().embedded == 0
    assert prices(shop)["shirts/red.jpg"] == 15


def test_shards_leave_the_products_to_the_merge(shop: S3VectorsShop) -> None:
    from embeddings.rebuild import Shard

    put_feed(shop, RED)
    for number in (1, 2):
        shop.rebuild(run="first", shard=Shard(number, 2))
    assert shop.rebuild(run="first").products == 1
    assert prices(shop)["shirts/red.jpg"] == 15


def test_photos_cannot_be_hidden(shop: S3VectorsShop) -> None:
    put_feed(shop, RED)
    with pytest.raises(GalleryIndexError, match="say --unlisted keep"):
        shop.rebuild(feed=FeedOptions(hide_unlisted=True))


def test_what_does_not_fit_is_reported(shop: S3VectorsShop) -> None:
    shop.photos.put("feed.csv", f"id,image_link,note\n1,red.jpg,{'x' * 3_000}\n".encode())
    assert shop.rebuild().left_out == ("note",)
    assert shop.rebuild().outcome is Outcome.UNCHANGED


def test_an_index_of_an_earlier_version_says_that_it_has_no_room(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    index = shop.vectors
    monkeypatch.setattr(index, "not_filterable", frozenset({"etag"}))
    put_feed(shop, RED)
    for options in ({}, {"keys": ["feed.csv"]}):
        summary = shop.rebuild(**options)
        assert summary.outcome is Outcome.UNCHANGED
        assert "without room for products: make a new one with --full" in summary.feed_problem
    name = shop.manifest.vector_index
    assert name is not None
    old = name.name.removesuffix("-products")
    shop.engine.buckets[BUCKET][old] = shop.engine.buckets[BUCKET].pop(name.name)
    pointer: dict[str, Any] = json.loads(shop.index_files.get("current.json").data)
    pointer["vector_index"]["name"] = old
    shop.index_files.put("current.json", json.dumps(pointer).encode())
    assert shop.rebuild(full=True).products == 1
    assert prices(shop)["shirts/red.jpg"] == 15


def test_a_feed_gives_the_answers_of_a_matrix(shop: S3VectorsShop, tmp_path: Path) -> None:
    """The whole way: the same feed, rebuilt into a matrix and into the engine, is loaded and searched."""
    shop.put({"shirts/red-back.jpg": "#e00000", "shirts/grey.jpg": "grey"})
    header = "id,item_group_id,title,image_link,additional_image_link,price,color,availability,rating\n"
    shop.photos.put(
        "feed.csv",
        (
            f"{header}r,shirt,Red shirt,https://c.example/red.jpg,https://c.example/red-back.jpg,15 USD,"
            "Red/White,in stock,4.5\n"
            "b,shirt,Blue shirt,https://c.example/blue.jpg,,16 USD,Blue,out of stock,\n"
            "g,,Green shoe,https://c.example/green.jpg,,30 USD,Green,in stock,3\n"
        ).encode(),
    )
    matrix = Shop(shop.gallery, str(tmp_path / "matrix"))
    matrix.rebuild()
    shop.rebuild()
    exact, found = matrix.load().gallery, shop.load().gallery
    assert list(found.columns) == list(exact.columns)
    assert found.product_photos("shirt")[0] == exact.product_photos("shirt")[0]
    for given in (
        [],
        ["price:..16"],
        ["-color:white"],
        ["availability:In stock", "rating:3..4.5"],
        ["item_group_id:SHIRT"],
        ["id:g,b"],
    ):
        for group in (False, True):
            for key in exact.keys:
                options = {"exclude": [key], "group": group, "fields": None, "facets": ["color", "price"]}
                wanted = exact.search(exact.vector(key), where=parse_where(given, exact.columns), **options)
                same = found.search(exact.vector(key), where=parse_where(given, found.columns), **options)
                assert [each.key for each in same] == [each.key for each in wanted]
                assert (list(same.products), list(same.others), same.facets) == (
                    list(wanted.products),
                    list(wanted.others),
                    wanted.facets,
                )

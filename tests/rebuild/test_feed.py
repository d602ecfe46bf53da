"""Rebuilds with a product feed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import StorageError, StorageUriError
from embeddings.index.history import release, rollback
from embeddings.index.manifest import FEED, HIDDEN, PRODUCTS
from embeddings.products.columns import Columns
from embeddings.rebuild import FeedOptions, Outcome, Summary, rebuild
from embeddings.storage.writers import open_writer
from tests.rebuild.gallery import Shop

HEADER = "id,title,image_link,price\n"
RED = "1,Red shirt,https://cdn.example/red.jpg?v=1,15.00 USD\n"
BLUE = "2,Blue shirt,https://cdn.example/blue.jpg,16.00 USD\n"
GREEN = "3,Green shoe,https://cdn.example/green.jpg,17.00 USD\n"


def put_feed(shop: Shop, *rows: str, key: str = "feed.csv") -> None:
    shop.photos.put(key, (HEADER + "".join(rows)).encode())


def products(shop: Shop) -> dict[str, Any]:
    """What queries are told of each photo that they can find."""
    loaded = shop.load()
    keys = list(loaded.gallery.keys)
    if PRODUCTS not in loaded.manifest.files:
        return dict.fromkeys(keys)
    columns = Columns.read(shop.index_files.get(loaded.manifest.path(PRODUCTS)).data)
    return {key: columns.product(row) for row, key in enumerate(keys)}


def prices(shop: Shop) -> dict[str, float | None]:
    return {key: product and product["price"]["value"] for key, product in products(shop).items()}


def said(summary: Summary) -> list[tuple[int, str, str]]:
    return [(each.line, each.id, each.reason) for each in summary.row_refusals]


@pytest.fixture
def forbid_embedding(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def forbid() -> None:
        def refuse(*_arguments: Any, **_options: Any) -> None:
            raise AssertionError("a photo is embedded")

        monkeypatch.setattr(Embedder, "describe", refuse)
        monkeypatch.setattr(Embedder, "describe_pixels", refuse)

    return forbid


def test_the_feed_at_the_gallerys_root_is_found(any_shop: Shop) -> None:
    put_feed(any_shop, RED, BLUE, "4,Gone,https://cdn.example/gone.jpg,1 USD\n")
    summary = any_shop.rebuild()
    assert (summary.outcome, summary.count, summary.failed, summary.products) == (Outcome.PUBLISHED, 3, 0, 2)
    assert said(summary) == [(4, "4", "the gallery has no photo named 'gone.jpg'")]
    assert (summary.rows_failed, summary.rows_failed_new, summary.feed_problem) == (1, 1, "")
    assert products(any_shop) == {
        "shirts/blue.jpg": {"id": "2", "title": "Blue shirt", "price": {"value": 16.0, "currency": "USD"}},
        "shirts/red.jpg": {"id": "1", "title": "Red shirt", "price": {"value": 15.0, "currency": "USD"}},
        "shoes/green.jpg": None,
    }
    again = any_shop.rebuild()
    assert (again.outcome, again.products, again.rows_failed, again.rows_failed_new) == (Outcome.UNCHANGED, 2, 1, 0)


def test_a_changed_price_is_published_and_nothing_is_embedded(
    any_shop: Shop, forbid_embedding: Callable[[], None]
) -> None:
    put_feed(any_shop, RED, BLUE)
    any_shop.rebuild()
    vectors = any_shop.index_files.get(any_shop.load().manifest.path("vectors.npy")).data
    put_feed(any_shop, RED.replace("15.00", "9.50"), BLUE)
    forbid_embedding()
    summary = any_shop.rebuild(keys=["feed.csv"])
    assert (summary.outcome, summary.embedded) == (Outcome.PUBLISHED, 0)
    assert (summary.added, summary.changed, summary.removed) == (0, 0, 0)
    assert prices(any_shop) == {"shirts/blue.jpg": 16, "shirts/red.jpg": 9.5, "shoes/green.jpg": None}
    assert any_shop.index_files.get(any_shop.load().manifest.path("vectors.npy")).data == vectors


def test_an_index_without_a_feed_has_no_files_about_products(shop: Shop) -> None:
    shop.rebuild()
    assert not {PRODUCTS, FEED, HIDDEN} & shop.load().manifest.files.keys()


def test_a_new_photo_gets_its_product_though_the_feed_is_the_same(shop: Shop) -> None:
    put_feed(shop, RED, "4,New,https://cdn.example/new.jpg,1 USD\n")
    assert shop.rebuild().rows_failed == 1
    shop.put({"new.jpg": "pink"})
    summary = shop.rebuild(keys=["new.jpg"])
    assert (summary.products, summary.rows_failed, summary.embedded) == (2, 0, 1)
    assert prices(shop)["new.jpg"] == 1
    shop.photos.delete(["shirts/red.jpg"])
    assert said(shop.rebuild()) == [(2, "1", "the gallery has no photo named 'red.jpg'")]


def test_a_feed_may_lie_elsewhere_and_is_remembered(any_shop: Shop, tmp_path: Path) -> None:
    feeds = any_shop.index.replace("index", "feeds")
    open_writer(feeds).put("today/products.csv", (HEADER + RED).encode())
    uri = f"{feeds}/today/products.csv"
    assert any_shop.rebuild(feed=FeedOptions(uri)).products == 1
    open_writer(feeds).put("today/products.csv", (HEADER + RED + BLUE).encode())
    summary = any_shop.rebuild()
    assert (summary.outcome, summary.products) == (Outcome.PUBLISHED, 2)
    summary = any_shop.rebuild(feed=FeedOptions("none"))
    assert (summary.outcome, summary.products, summary.feed_problem) == (Outcome.PUBLISHED, 0, "")
    assert set(products(any_shop).values()) == {None}
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED


def test_a_folder_means_the_feed_in_it(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "feeds.today").mkdir()
    (tmp_path / "feeds.today" / "feed.csv").write_text(HEADER + RED)
    assert shop.rebuild(feed=FeedOptions(str(tmp_path / "feeds.today"))).products == 1


def test_a_feed_in_the_gallery_is_no_photo(shop: Shop) -> None:
    put_feed(shop, RED, key="exports/products.v2.csv")
    summary = shop.rebuild(feed=FeedOptions(f"{shop.gallery}/exports/products.v2.csv"))
    assert (summary.failed, summary.products) == (0, 1)


def test_an_address_that_is_none_is_refused_at_once(shop: Shop) -> None:
    with pytest.raises(StorageUriError):
        shop.rebuild(feed=FeedOptions("ftp://shop.example/feed.csv"))
    assert not Path(shop.index).exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "it is not there"),
        (b"", "it is empty"),
        (b"id,image_link\n", "it has no usable row"),
        (b"<html>503 Service Unavailable</html>", "it is an HTML page"),
        (
            b"id,image_link\n1,https://cdn.example/other.jpg\n",
            "none of its rows shows a photo of the gallery: line 2: ",
        ),
    ],
)
def test_a_feed_that_vanishes_or_is_none_keeps_the_last_one_and_says_so(
    any_shop: Shop, content: bytes | None, reason: str
) -> None:
    put_feed(any_shop, RED, "4,New,https://cdn.example/new.jpg,1 USD\n")
    any_shop.rebuild()
    if content is None:
        any_shop.photos.delete(["feed.csv"])
    else:
        any_shop.photos.put("feed.csv", content)
    for _ in range(2):
        summary = any_shop.rebuild()
        assert summary.outcome is Outcome.UNCHANGED
        assert summary.feed_problem.startswith(f"feed.csv of the gallery: {reason}")
        assert summary.feed_problem.endswith("; the products stay as the last feed said")
    any_shop.put({"new.jpg": "pink"})
    summary = any_shop.rebuild()
    assert (summary.outcome, summary.products, bool(summary.feed_problem)) == (Outcome.PUBLISHED, 2, True)
    assert prices(any_shop)["new.jpg"] == 1
    put_feed(any_shop, BLUE)
    summary = any_shop.rebuild()
    assert (summary.products, summary.feed_problem) == (1, "")


def test_a_first_feed_that_is_not_there_stops_no_photo(shop: Shop, tmp_path: Path) -> None:
    summary = shop.rebuild(feed=FeedOptions(str(tmp_path / "none.csv")))
    assert (summary.outcome, summary.count) == (Outcome.PUBLISHED, 3)
    assert summary.feed_problem == f"{tmp_path / 'none.csv'}: it is not there; there are no products"


def test_storage_trouble_with_the_feed_stops_no_photo(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    put_feed(shop, RED)
    shop.rebuild()
    put_feed(shop, RED, BLUE)
    shop.put({"new.jpg": "pink"})
    real = type(shop.photos).get

    def fail(self: Any, key: str) -> Any:
        if key == "feed.csv":
            raise StorageError("access denied")
        return real(self, key)

    monkeypatch.setattr(type(shop.photos), "get", fail)
    summary = shop.rebuild()
    assert (summary.outcome, summary.count, summary.products) == (Outcome.PUBLISHED, 4, 1)
    assert "access denied" in summary.feed_problem


def test_links_below_the_gallerys_address_are_paths(shop: Shop) -> None:
    shop.put({"shoes/red.jpg": "orange"})
    put_feed(shop, "1,Red,https://images.example/g/shoes/red.jpg,1 USD\n")
    assert "2 photos of the gallery are named 'red.jpg'" in shop.rebuild().feed_problem
    summary = shop.rebuild(feed=FeedOptions(image_base_url="https://images.example/g"))
    assert (summary.outcome, summary.products) == (Outcome.PUBLISHED, 1)
    assert prices(shop)["shoes/red.jpg"] == 1
    assert shop.rebuild().outcome is Outcome.UNCHANGED, "the address is remembered"


def test_unlisted_photos_can_be_hidden_and_come_back_without_being_embedded(
    any_shop: Shop, forbid_embedding: Callable[[], None]
) -> None:
    put_feed(any_shop, RED, BLUE, GREEN)
    any_shop.rebuild(feed=FeedOptions(hide_unlisted=True))
    before = any_shop.load().gallery.vector("shirts/blue.jpg")
    forbid_embedding()
    put_feed(any_shop, RED)
    summary = any_shop.rebuild()
    assert (summary.outcome, summary.count, summary.hidden, summary.removed) == (Outcome.PUBLISHED, 1, 2, 0)
    assert list(any_shop.load().gallery.keys) == ["shirts/red.jpg"]
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED

    put_feed(any_shop, RED, BLUE)
    assert any_shop.rebuild().hidden == 1
    assert prices(any_shop) == {"shirts/blue.jpg": 16, "shirts/red.jpg": 15}
    np.testing.assert_array_equal(any_shop.load().gallery.vector("shirts/blue.jpg"), before)

    any_shop.photos.delete(["shoes/green.jpg"])
    summary = any_shop.rebuild()
    assert (summary.removed, summary.hidden) == (1, 0)
    assert any_shop.rebuild(feed=FeedOptions(hide_unlisted=False)).count == 2


def test_a_rollback_brings_the_products_back_too(shop: Shop) -> None:
    put_feed(shop, RED)
    shop.rebuild()
    put_feed(shop, BLUE)
    shop.rebuild()
    rollback(shop.index_files)
    assert prices(shop) == {"shirts/blue.jpg": None, "shirts/red.jpg": 15, "shoes/green.jpg": None}
    release(shop.index_files)
    assert shop.rebuild().outcome is Outcome.PUBLISHED
    assert prices(shop)["shirts/blue.jpg"] == 16


@pytest.mark.parametrize("name", [PRODUCTS, FEED, HIDDEN])
def test_a_lost_file_is_made_again(shop: Shop, name: str) -> None:
    put_feed(shop, RED)
    shop.rebuild(feed=FeedOptions(hide_unlisted=True))
    shop.index_files.delete([shop.load().manifest.path(name)]) if name != PRODUCTS else None
    if name == PRODUCTS:
        path = shop.load().manifest.path(PRODUCTS)
        shop.index_files.put(path, b"damaged")
    assert shop.rebuild().outcome is Outcome.PUBLISHED
    assert prices(shop) == {"shirts/red.jpg": 15}
    assert shop.rebuild(feed=FeedOptions(hide_unlisted=False)).count == 3


def test_a_dry_run_says_what_the_feed_would_do(shop: Shop) -> None:
    put_feed(shop, RED, "2,Blue,https://cdn.example/blue.jpg,free\n")
    summary = shop.rebuild(dry_run=True)
    assert (summary.outcome, summary.products) == (Outcome.DRY_RUN, 1)
    assert said(summary) == [(3, "2", "price is 'free': give a number and a currency, such as 15.00 USD")]
    assert not Path(shop.index).exists()


def test_feeds_and_photos_that_change_at_once_lose_nothing(shop: Shop) -> None:
    """Each rebuild looks at its own photo or at the feed, as after an event. In the end all must be there."""
    shop.rebuild()
    keys = [f"new/{number}.jpg" for number in range(6)]
    shop.put(dict.fromkeys(keys, "pink"))
    rows = [f"n{number},New,https://cdn.example/{number}.jpg,{number}.00 USD\n" for number in range(6)]

    def change(place: int) -> Summary:
        if place % 2:
            put_feed(shop, *rows[: place // 2 + 4])
            return shop.rebuild(keys=["feed.csv"])
        return shop.rebuild(keys=[keys[place // 2]])

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(change, range(12)))
    put_feed(shop, *rows)
    assert shop.rebuild(keys=["feed.csv"]).outcome in (Outcome.PUBLISHED, Outcome.UNCHANGED)
    assert {key: prices(shop)[key] for key in keys} == {key: float(number) for number, key in enumerate(keys)}


def test_another_rebuild_that_publishes_meanwhile_keeps_the_new_feed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_feed(shop, RED)
    shop.rebuild()
    shop.put({"mine.jpg": "pink"})
    real, met = Embedder.describe, list[bool]()

    def embed_while_the_feed_changes(self: Embedder, *arguments: Any, **options: Any) -> object:
        if not met:
            met.append(True)
            put_feed(shop, RED, BLUE)
            rebuild(shop.gallery, shop.index, keys=["feed.csv"])
        return real(self, *arguments, **options)

    monkeypatch.setattr(Embedder, "describe", embed_while_the_feed_changes)
    summary = shop.rebuild(keys=["mine.jpg"])
    assert (summary.outcome, summary.embedded, summary.products) == (Outcome.PUBLISHED, 1, 2)
    assert prices(shop)["shirts/blue.jpg"] == 16
    assert "mine.jpg" in prices(shop)


def test_shards_leave_the_feed_to_the_merge(shop: Shop) -> None:
    from embeddings.rebuild import Shard

    put_feed(shop, RED)
    for number in (1, 2):
        assert shop.rebuild(run="first", shard=Shard(number, 2)).outcome is Outcome.SHARD_DONE
    assert shop.rebuild(run="first").products == 1
    assert prices(shop)["shirts/red.jpg"] == 15

"""Congruence: products in S3 Vectors give the answers of products in memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.errors import UnknownProductError
from embeddings.gallery import Gallery
from embeddings.products.columns import Columns, pack_columns, pack_summaries, read_summaries
from embeddings.products.product import Price, Product, Value
from embeddings.products.seen import Seen
from embeddings.products.where import parse_where
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.gallery import S3VectorsGallery
from embeddings.s3_vectors.metadata import space_left
from embeddings.s3_vectors.products import product_metadata, seen_metadata
from embeddings.s3_vectors.writer import S3VectorsWriter
from tests.products.oracle import COLUMNS, TEXTS, conditions
from tests.servers.s3vectors import S3VectorsServer

DIMENSION, COUNT = 6, 80
NAMES = ("id", "item_group_id", *COLUMNS, "seen.kind", "seen.colour", "seen.words")


def drawn_products() -> list[Product | None]:
    random = np.random.default_rng(5)

    def some(values: Any) -> Any:
        return values[random.integers(len(values))]

    products: list[Product | None] = []
    for number in range(COUNT):
        values: dict[str, Value] = {"title": some(TEXTS), "weight": float(some((1, 2, 50)))}
        if number % 3:
            values |= {"brand": some(TEXTS[:3]), "price": Price(float(some((5, 9.99, 10, 50))), "EUR")}
        if number % 4:
            values["color"] = tuple(dict.fromkeys((some(TEXTS), some(TEXTS))))
        group = f"g{number % 7}" if number % 2 else f"p{number}"
        product = Product(f"p{number}", group, values)
        products.append(None if number % 10 == 9 else products[-1] if number % 10 == 5 else product)
    return products


def drawn_seen() -> list[Seen]:
    kinds, colours = ("nike", "hüte", ""), ("in stock", "日本", "", "")
    looks = ((), ("g1",), ("none", "ss"), ("ss",))
    return [
        Seen(kinds[number % 3], "", colours[number % 4], looks[number // 2 % 4]) if number % 5 else Seen()
        for number in range(COUNT)
    ]


@pytest.fixture(scope="module")
def exact() -> Gallery:
    random = np.random.default_rng(3)
    rows = random.standard_normal((COUNT, DIMENSION)).astype(np.float32)
    rows[1::9] = rows[::9][: len(rows[1::9])]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    keys = sorted(f"{'ab'[number % 2]}/{number:02}.jpg" for number in range(COUNT))
    return Gallery(rows, keys, Columns.read(pack_columns(drawn_products(), drawn_seen())))


@pytest.fixture(scope="module")
def engine() -> Any:
    with S3VectorsServer() as server:
        server.buckets["shop"] = {}
        yield server


@pytest.fixture(scope="module")
def gallery(exact: Gallery, engine: S3VectorsServer) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL_S3VECTORS": engine.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        index = VectorIndexName("shop", "garments")
        writer = S3VectorsWriter(index)
        writer.create(DIMENSION)
        products = dict(zip(exact.keys, drawn_products(), strict=True))
        writer.put(
            {key: ('"1"', exact.vector(key).astype(np.float32)) for key in exact.keys},
            {
                key: {**(product_metadata(each, space_left(key))[0] if each else {}), **seen_metadata(seen)}
                for (key, each), seen in zip(products.items(), drawn_seen(), strict=True)
            },
        )
        shown = [each for each in products.values() if each is not None]
        summaries = read_summaries(pack_summaries(shown, drawn_seen()))
        yield S3VectorsGallery(index, DIMENSION, COUNT, {}, summaries)


def same(exact: Any, found: Any) -> None:
    assert [each.key for each in found] == [each.key for each in exact]
    assert [each.score for each in found] == pytest.approx([each.score for each in exact], abs=1.5e-6)
    assert list(found.products) == list(exact.products)
    assert list(found.seen) == list(exact.seen)
    assert list(found.others) == list(exact.others)
    assert found.facets == exact.facets


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_searches_give_the_answers_of_the_exact_gallery(
    data: st.DataObject, gallery: S3VectorsGallery, exact: Gallery
) -> None:
    where = data.draw(st.lists(conditions(NAMES), max_size=3))
    options: dict[str, Any] = {
        "k": data.draw(st.integers(1, 100)),
        "offset": data.draw(st.integers(0, 5)),
        "prefix": data.draw(st.sampled_from(["", "a"])),
        "dedupe": data.draw(st.sampled_from([None, None, 0.999])),
        "exclude": data.draw(st.lists(st.sampled_from([*exact.keys, "zzz", "a//b"]), max_size=2)),
        "group": data.draw(st.booleans()),
        "fields": data.draw(st.sampled_from([None, (), ("brand", "price"), ("seen.colour", "price")])),
        "facets": data.draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)),
    }
    query = exact.vector(data.draw(st.sampled_from(exact.keys)))
    wanted = exact.search(query, where=parse_where(where, exact.columns), **options)
    same(wanted, gallery.search(query, where=parse_where(where, gallery.columns), **options))


def test_columns_are_described_alike(gallery: S3VectorsGallery, exact: Gallery) -> None:
    assert list(gallery.columns) == list(exact.columns)


def test_the_photos_of_a_product_are_found_by_its_group_or_by_a_variant(
    gallery: S3VectorsGallery, exact: Gallery
) -> None:
    for product in ("g1", "g3", "p1", "p2", "p21"):
        (keys, direction), (expected, exact_direction) = gallery.product_photos(product), exact.product_photos(product)
        assert keys == expected
        np.testing.assert_allclose(direction, exact_direction, atol=1e-3)
    for unknown in ("G1", "none", ""):
        with pytest.raises(UnknownProductError):
            gallery.product_photos(unknown)


def test_what_is_not_asked_for_is_not_fetched(
    gallery: S3VectorsGallery, exact: Gallery, engine: S3VectorsServer
) -> None:
    engine.requests.clear()
    gallery.search(exact.vector(exact.keys[0]), where=parse_where(["price:..10"], gallery.columns))
    [(_, asked)] = engine.requests
    assert "returnMetadata" not in asked
    assert asked["filter"] == {"product.price": {"$lte": 10}}
    engine.requests.clear()
    gallery.search(exact.vector(exact.keys[0]), fields=None)
    assert len(engine.requests) == 1


def test_without_a_feed_there_are_no_products(gallery: S3VectorsGallery, exact: Gallery) -> None:
    bare = S3VectorsGallery(VectorIndexName("shop", "garments"), DIMENSION, COUNT, {})
    found = bare.search(exact.vector(exact.keys[0]), fields=None, group=True, facets=())
    assert (len(found), list(found.products), list(found.others)) == (16, [], [])
    with pytest.raises(UnknownProductError):
        bare.product_photos("g1")


def test_words_narrow_by_frequent_brands_alone(gallery: S3VectorsGallery) -> None:
    condition = gallery.named("nike")
    assert condition is not None
    found = gallery.search(np.zeros(DIMENSION, np.float32), where=[condition], fields=("brand",))
    assert {each["brand"].lower() for each in found.products if each} == {"nike"}
    assert gallery.named("g1") is None
    assert gallery.named("zebra") is None

"""Products in the metadata of vectors."""

import json

import numpy as np

from embeddings.products.product import Price, Product
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.metadata import space_left
from embeddings.s3_vectors.products import PRODUCT, product_metadata
from embeddings.s3_vectors.writer import S3VectorsWriter
from tests.servers.s3vectors import S3VectorsServer

INDEX = VectorIndexName("shop", "products")
SHIRT = Product(
    "a-1",
    "a",
    {
        "title": "Red  Shirt",
        "price": Price(15, "USD"),
        "availability": "in_stock",
        "color": ("Red", "Green"),
        "rating": 4.5,
    },
)


def held(vectors_server: S3VectorsServer, key: str) -> dict[str, object]:
    return vectors_server.buckets["shop"]["products"].vectors[key].metadata


def test_a_product_is_filterable_and_shown() -> None:
    metadata, left_out = product_metadata(SHIRT, space_left("shirts/red.jpg"))
    assert not left_out
    assert json.loads(metadata.pop(PRODUCT)) == {
        "id": "a-1",
        "item_group_id": "a",
        "title": "Red  Shirt",
        "price": {"value": 15.0, "currency": "USD"},
        "availability": "in_stock",
        "color": ["Red", "Green"],
        "rating": 4.5,
    }
    assert metadata == {
        "product.id": "a-1",
        "product.item_group_id": "a",
        "product.title": "red shirt",
        "product.price": 15.0,
        "product.availability": "in stock",
        "product.color": ["red", "green"],
        "product.rating": 4.5,
    }


def test_what_does_not_fit_is_left_out_and_said() -> None:
    many = {f"column_{number}": "x" * 40 for number in range(60)}
    metadata, left_out = product_metadata(Product("a", "a", {"title": "A", **many}), space_left("a.jpg"))
    filterable = {name: value for name, value in metadata.items() if name != PRODUCT}
    assert len(json.dumps(filterable)) <= space_left("a.jpg")
    assert left_out == {"title", *many} - {name.removeprefix("product.") for name in filterable}
    assert len(json.loads(metadata[PRODUCT])) == 62

    metadata, left_out = product_metadata(
        Product("a", "a", {"brand": "B", **{f"long_{number}": "ü" * 5_000 for number in range(5)}}), 1_000
    )
    assert len(metadata[PRODUCT].encode()) <= 36_000
    assert left_out == {f"long_{number}" for number in range(5)}
    assert json.loads(metadata[PRODUCT])["brand"] == "B"


def test_products_are_put_with_vectors_and_changed_without(vectors_server: S3VectorsServer) -> None:
    writer = S3VectorsWriter(INDEX)
    writer.create(4)
    assert writer.has_room_for_products()
    vectors = {f"{number}.jpg": ('"1"', np.arange(1, 5, dtype=np.float16)) for number in range(250)}
    metadata = {key: product_metadata(SHIRT, space_left(key))[0] for key in list(vectors)[:2]}
    writer.put(vectors, metadata)
    there = writer.look()
    assert there.etags == dict.fromkeys(vectors, '"1"')
    assert there.products.keys() == {"0.jpg", "1.jpg"}
    assert len(set(there.products.values())) == 1
    assert writer.products(["0.jpg", "9.jpg"]) == {"0.jpg": metadata["0.jpg"]}

    before = {key: list(each.data) for key, each in vectors_server.buckets["shop"]["products"].vectors.items()}
    writer.put_products({"0.jpg": None, "9.jpg": metadata["0.jpg"], "gone.jpg": metadata["0.jpg"]})
    assert writer.look().products.keys() == {"1.jpg", "9.jpg"}
    assert held(vectors_server, "0.jpg").keys() == {"draw", "etag"}
    after = {key: list(each.data) for key, each in vectors_server.buckets["shop"]["products"].vectors.items()}
    assert after == before


def test_large_products_go_in_several_requests(vectors_server: S3VectorsServer) -> None:
    writer = S3VectorsWriter(INDEX)
    writer.create(4)
    large = {PRODUCT: json.dumps({"id": "a", "text": "x" * 35_000})}
    vectors = {f"{number}.jpg": ('"1"', np.arange(1, 5, dtype=np.float16)) for number in range(400)}
    writer.put(vectors, dict.fromkeys(vectors, large))
    sizes = [len(json.dumps(each)) for each in vectors_server.asked("PutVectors")]
    assert len(sizes) == 4
    assert max(sizes) < 20 * 2**20
    assert len(writer.look().products) == 400

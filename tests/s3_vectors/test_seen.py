"""What the model sees lies beside the vectors in S3 Vectors, too."""

from pathlib import Path
from typing import Any

import pytest

from tests.s3_vectors.conftest import S3VectorsShop
from tests.sights import write_seeing_model

BLUE = {"colour": "blue", "words": ["check"]}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_seeing_model(tmp_path)


def seen(shop: S3VectorsShop) -> dict[str, Any]:
    gallery = shop.load().gallery
    found = gallery.search(gallery.vector("shirts/red.jpg"), k=100, fields=None)
    return {each.key: told for each, told in zip(found, found.seen, strict=True)}


def test_a_rebuild_writes_what_is_seen_and_keeps_it(shop: S3VectorsShop, model: Path) -> None:
    shop.rebuild(model=model)
    assert [each.name for each in shop.load().gallery.columns] == ["seen.colour", "seen.words"]
    assert seen(shop)["shirts/red.jpg"] == {"colour": "red"}
    assert seen(shop)["shirts/blue.jpg"] == BLUE
    shop.put({"z.jpg": "blue"})
    shop.rebuild(model=None, keys=["z.jpg"])
    assert (seen(shop)["z.jpg"], seen(shop)["shirts/red.jpg"]) == (BLUE, {"colour": "red"})
    shop.put({"y.jpg": "blue"})
    shop.rebuild(model=None)
    assert shop.load().gallery.columns[0].values[0] == "blue"


def test_new_products_leave_what_was_seen(shop: S3VectorsShop, model: Path) -> None:
    shop.rebuild(model=model)
    shop.put({"feed.csv": b"id,key,brand\n1,shirts/red.jpg,Alba\n"})
    summary = shop.rebuild(model=None)
    assert (summary.embedded, summary.products) == (0, 1)
    assert {"brand", "seen.colour"} <= {each.name for each in shop.load().gallery.columns}
    assert seen(shop)["shirts/red.jpg"] == {"colour": "red"}
    assert seen(shop)["shirts/blue.jpg"] == BLUE


def test_vectors_that_move_from_a_matrix_take_along_what_was_seen(shop: S3VectorsShop, model: Path) -> None:
    shop.rebuild(model=model, vector_bucket="")
    before = seen(shop)
    assert shop.rebuild(model=None).embedded == 0
    assert seen(shop) == before
    assert before["shirts/blue.jpg"] == BLUE

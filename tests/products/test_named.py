"""Words of titles and brands narrow a search in words."""

import numpy as np
import pytest

from embeddings.gallery import Gallery
from embeddings.products.columns import Columns, pack_columns
from embeddings.products.product import Product
from embeddings.products.seen import Seen

PRODUCTS = [
    Product("1", "1", {"title": "Nike Air running shoe", "brand": "Nike"}),
    Product("2", "2", {"title": "NIKE airless", "color": ("nike",)}),
    Product("3", "3", {"title": "Hüte für Männer", "brand": "Hut-Haus"}),
    Product("4", "4", {"title": "501", "brand": "Levi's"}),
]


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    columns = Columns.read(pack_columns(PRODUCTS, [Seen("shirts")] * 4))
    return Gallery(np.eye(4, dtype=np.float32), ["a", "b", "c", "d"], columns)


@pytest.mark.parametrize(
    ("word", "found"),
    [("nike", "ab"), ("air", "a"), ("hüte", "c"), ("haus", "c"), ("männer", "c"), ("running", "a"), ("levis", "d")],
)
def test_whole_words_are_found_in_title_and_brand(gallery: Gallery, word: str, found: str) -> None:
    condition = gallery.named(word)
    assert condition is not None
    results = gallery.search(np.full(4, 0.5, np.float32), where=[condition])
    assert sorted(each.key for each in results) == list(found)
    others = gallery.search(np.full(4, 0.5, np.float32), where=[condition._replace(negated=True)])
    assert sorted(each.key for each in others) == sorted(set("abcd") - set(found))


def test_other_words_and_other_columns_are_not_looked_into(gallery: Gallery) -> None:
    for word in ("shirts", "ike", "zebra", "1"):
        assert gallery.named(word) is None
    assert Gallery(np.eye(1, dtype=np.float32), ["a"]).named("nike") is None

"""What a model sees in photos, as columns beside a feed's."""

from typing import Any

import numpy as np
import pytest

from embeddings.errors import CorruptIndexError
from embeddings.gallery import Gallery
from embeddings.products.columns import Columns, pack_columns, pack_summaries, read_seen, read_summaries
from embeddings.products.facets import count_facets
from embeddings.products.product import Product
from embeddings.products.seen import Seen
from embeddings.products.where import parse_where

SHIRT = Product("1", "shirt", {"title": "Shirt", "color": ("red",)})
OTHER = Product("2", "shirt", {"title": "Other shirt"})
PRODUCTS = [SHIRT, SHIRT, OTHER, None, None, None]
SEEN = [
    Seen("shirts", "men", "red", ("check", "printed")),
    Seen("shirts", "", "blue"),
    Seen("shirts", "men", "red", ("check", "printed")),
    Seen("jeans", "women", "blue"),
    Seen("jeans", "women", "blue"),
    Seen(),
]
HIDDEN = [Seen("ties", "men"), Seen()]


@pytest.fixture(scope="module")
def columns() -> Columns:
    return Columns.read(pack_columns(PRODUCTS, SEEN, HIDDEN))


@pytest.fixture(scope="module")
def gallery(columns: Columns) -> Gallery:
    return Gallery(np.eye(6, dtype=np.float32), [f"{number}.jpg" for number in range(6)], columns)


def rows(columns: Columns, *where: str) -> list[int]:
    conditions = parse_where(where, columns.summaries)
    return np.flatnonzero(columns.matches(conditions, slice(0, 6))).tolist()


def test_each_photo_has_its_product_and_what_is_seen_in_it(columns: Columns) -> None:
    shirt = {"id": "1", "item_group_id": "shirt", "title": "Shirt", "color": ["red"]}
    assert [columns.product(row) for row in (0, 1, 3, 5)] == [shirt, shirt, None, None]
    assert columns.seen(0) == {"kind": "shirts", "gender": "men", "colour": "red", "words": ["check", "printed"]}
    assert columns.seen(1) == {"kind": "shirts", "colour": "blue"}
    assert columns.seen(0, {"title", "seen.words"}) == {"words": ["check", "printed"]}
    assert columns.product(0, {"seen.words"}) == {}
    assert columns.seen(5) is None


def test_filters_know_what_is_seen(columns: Columns) -> None:
    assert rows(columns, "seen.kind:Shirts") == [0, 1, 2]
    assert rows(columns, "seen.words:check", "color:red") == [0]
    assert rows(columns, "-seen.colour:blue") == [0, 2, 5]


def test_photos_of_one_product_stay_one_product(columns: Columns) -> None:
    groups = columns.groups.tolist()
    assert groups[0] == groups[1] == groups[2] >= 0
    assert groups[3:] == [-1, -1, -1]
    assert columns.group_of("2") == groups[0]


def test_facets_count_photos_or_products(columns: Columns) -> None:
    counted: dict[str, Any] = count_facets(columns, ["seen.kind", "seen.colour"], range(6), grouped=False)
    assert counted["seen.kind"]["values"] == [{"value": "shirts", "count": 3}, {"value": "jeans", "count": 2}]
    counted = count_facets(columns, ["seen.kind", "seen.colour", "seen.words"], range(6), grouped=True)
    # The three photos of shirts show one product; each photo without one counts.
    assert counted["seen.kind"]["values"] == [{"value": "jeans", "count": 2}, {"value": "shirts", "count": 1}]
    assert counted["seen.colour"]["values"] == [{"value": "blue", "count": 3}, {"value": "red", "count": 1}]
    assert counted["seen.words"]["values"] == [{"value": "check", "count": 1}, {"value": "printed", "count": 1}]


def test_a_search_says_what_is_seen_in_its_results(gallery: Gallery) -> None:
    found = gallery.search(np.eye(6, dtype=np.float32)[3], k=2, fields=None, group=True, facets=("seen.kind",))
    assert found.seen[0] == {"kind": "jeans", "gender": "women", "colour": "blue"}
    assert found.products[0] is None
    assert found.facets["seen.kind"]["values"][0] == {"value": "jeans", "count": 2}


def test_without_a_feed_there_are_only_the_columns_of_what_is_seen() -> None:
    columns = Columns.read(pack_columns([None] * 6, SEEN))
    assert [(each.name, each.type) for each in columns.summaries] == [
        ("seen.kind", "text"),
        ("seen.gender", "text"),
        ("seen.colour", "text"),
        ("seen.words", "list"),
    ]
    assert columns.summaries[0].values == ("shirts", "jeans")
    assert columns.group_of("1") is None
    assert columns.product(0) is None
    assert columns.seen(3) == {"kind": "jeans", "gender": "women", "colour": "blue"}


def test_what_nothing_is_seen_of_has_no_column() -> None:
    assert Columns.read(pack_columns([SHIRT], [Seen()])).summaries == Columns.read(pack_columns([SHIRT])).summaries
    assert pack_columns([SHIRT, None], [Seen(), Seen()]) == pack_columns([SHIRT, None])


def test_a_rebuild_reads_what_was_seen_again() -> None:
    content = pack_columns(PRODUCTS, SEEN, HIDDEN)
    assert read_seen(content) == [*SEEN, *HIDDEN]
    assert read_seen(pack_columns(PRODUCTS)) == []
    with pytest.raises(CorruptIndexError, match="is damaged"):
        read_seen(content[:-4])


def test_the_columns_of_s3_vectors_are_described_alike() -> None:
    given = pack_summaries([SHIRT, SHIRT, OTHER], SEEN)
    assert read_summaries(given) == Columns.read(pack_columns(PRODUCTS, SEEN)).summaries


def test_a_photo_costs_a_few_bytes() -> None:
    few = len(pack_columns([None] * 6, SEEN))
    assert len(pack_columns([None] * 6000, SEEN * 1000)) < few + 6000 * 4 + 100

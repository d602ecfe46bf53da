"""Facets agree with plain counting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.products.columns import Columns, pack_columns
from embeddings.products.facets import MOST_VALUES, count_facets
from embeddings.products.product import Product
from tests.products.oracle import alike, facet, galleries


@settings(max_examples=100, deadline=None)
@given(st.data(), st.booleans())
def test_facets_agree_with_counting(data: st.DataObject, grouped: bool) -> None:
    products = data.draw(galleries())
    columns = Columns.read(pack_columns(products))
    rows = data.draw(st.lists(st.sampled_from(range(len(products))), unique=True)) if products else []
    names = [each.name for each in columns.summaries]
    found = count_facets(columns, names, np.array(sorted(rows), int), grouped=grouped)
    assert list(found) == names
    for name in names:
        expected = facet([products[row] for row in rows], name, grouped=grouped)
        if "values" not in expected:
            assert found[name] == expected
            continue
        listed = found[name]["values"]
        assert {alike(each["value"]): each["count"] for each in listed} == expected["values"]
        counts = [each["count"] for each in listed]
        assert counts == sorted(counts, reverse=True)


def test_the_most_frequent_values_are_listed_in_their_frequent_spelling() -> None:
    brands = [f"brand {number:03}" for number in range(100)] + ["Nike", "nike", "nike", "Puma", "PUMA", "Puma"]
    columns = Columns.read(pack_columns([Product(str(n), "g", {"brand": brand}) for n, brand in enumerate(brands)]))
    photos = count_facets(columns, ["brand"], np.arange(len(brands)), grouped=False)["brand"]["values"]
    assert photos[:3] == [
        {"value": "nike", "count": 3},
        {"value": "Puma", "count": 3},
        {"value": "brand 000", "count": 1},
    ]
    assert len(photos) == MOST_VALUES
    grouped = count_facets(columns, ["brand"], np.arange(len(brands)), grouped=True)["brand"]["values"]
    assert {each["count"] for each in grouped} == {1}

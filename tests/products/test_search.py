"""Searches with products agree with the definition: one condition after the other, then the cut."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings import gallery as gallery_module
from embeddings.errors import UnknownProductError
from embeddings.gallery import Gallery
from embeddings.products.columns import Columns, pack_columns
from embeddings.products.product import Product
from embeddings.products.where import parse_where
from tests.products.oracle import alike, conditions, facet, galleries, meets
from tests.products.test_columns import shown

DIMENSION = 4


def unit_vectors(count: int, seed: int) -> np.ndarray:
    """Make vectors of which several are alike."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, DIMENSION))[random.integers(0, max(count, 1), count)]
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def plainly(vectors, keys, products, query, *, k, offset, prefix, min_score, dedupe, exclude, where, group):
    """Search by the definition; return the rows that match, best first, and those that are shown."""
    scores = np.round(np.vecdot(vectors, query).astype(np.float64), 6)
    own = {each.group for key, each in zip(keys, products, strict=True) if key in exclude and each is not None}
    matching = [
        row
        for row in sorted(range(len(keys)), key=lambda row: (-scores[row], row))
        if keys[row].startswith(prefix)
        and keys[row] not in exclude
        and not (group and products[row] is not None and products[row].group in own)
        and (min_score is None or scores[row] >= min_score)
        and all(meets(products[row], condition) for condition in where)
    ]
    first, seen = [], set()
    for row in matching:
        if not group or products[row] is None or products[row].group not in seen:
            first.append(row)
            seen.add(None if products[row] is None else products[row].group)
    kept: list[int] = []
    for row in first:
        if dedupe is None or all(round(float(vectors[row] @ vectors[other]), 6) < dedupe for other in kept):
            kept.append(row)
    return matching, kept[offset : offset + k]


@pytest.mark.parametrize("gather", [0, 4, 10**9], ids=["score all", "as usual", "gather all"])
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_searches_agree_with_the_definition(gather: int, data: st.DataObject) -> None:
    products = data.draw(galleries())
    keys = [f"{'ab'[place % 2]}/{place:02}.jpg" for place in range(len(products))]
    order = sorted(range(len(keys)), key=lambda place: keys[place])
    keys, products = [keys[place] for place in order], [products[place] for place in order]
    vectors = unit_vectors(len(keys), data.draw(st.integers(0, 9)))
    columns = Columns.read(pack_columns(products))
    names = [each.name for each in columns.summaries]
    query = unit_vectors(1, 77)[0]
    options: dict[str, Any] = {
        "k": data.draw(st.integers(1, 22)),
        "offset": data.draw(st.integers(0, 3)),
        "prefix": data.draw(st.sampled_from(["", "a/"])),
        "min_score": data.draw(st.sampled_from([None, -0.5, 0.2])),
        "dedupe": data.draw(st.sampled_from([None, None, 0.999, 0.8])),
        "exclude": data.draw(st.lists(st.sampled_from([*keys, "zzz"]), max_size=2)),
        "group": data.draw(st.booleans()),
    }
    where = data.draw(st.lists(conditions(names), max_size=2))
    fields = data.draw(st.sampled_from([None, (), ("brand", "title", "id")]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery_module, "_GATHER", gather)
        found = Gallery(vectors, keys, columns).search(
            query, where=parse_where(where, columns.summaries), fields=fields, facets=names, **options
        )
    matching, expected = plainly(vectors, keys, products, query, where=where, **options)
    assert [each.key for each in found] == [keys[row] for row in expected]
    if fields == ():
        assert list(found.products) == []
    else:
        answers = [shown(products[row]) for row in expected]
        picked = [each and {name: each[name] for name in each if fields is None or name in fields} for each in answers]
        assert list(found.products) == picked
    if options["group"]:
        others = [
            [keys[other] for other in matching if other not in expected and same_group(products[other], products[row])]
            for row in expected
        ]
        assert list(found.others) == others
    else:
        assert list(found.others) == []
    for name in names:
        counted = facet([products[row] for row in matching], name, grouped=options["group"])
        values = found.facets[name].get("values")
        if values is None:
            assert found.facets[name] == counted
        else:
            assert {alike(each["value"]): each["count"] for each in values} == counted["values"]


def same_group(one: Product | None, other: Product | None) -> bool:
    return one is not None and other is not None and one.group == other.group


def made(products: list[Product | None]) -> Gallery:
    keys = [f"{number}.jpg" for number in range(len(products))]
    return Gallery(unit_vectors(len(keys), 1), keys, Columns.read(pack_columns(products)))


def test_a_product_is_searched_by_the_mean_of_all_its_photos() -> None:
    red, blue = Product("red", "shirt"), Product("blue", "shirt")
    gallery = made([red, None, blue, Product("hat", "hat"), red])
    keys, direction = gallery.product_photos("shirt")
    assert keys == ["0.jpg", "2.jpg", "4.jpg"]
    mean = sum(gallery.vector(key) for key in keys)
    np.testing.assert_allclose(direction, mean / np.linalg.norm(mean), atol=1e-6)
    assert gallery.product_photos("blue")[0] == keys
    assert gallery.product_photos("hat")[0] == ["3.jpg"]
    for unknown in ("", "Shirt", "none"):
        with pytest.raises(UnknownProductError):
            gallery.product_photos(unknown)


def test_opposite_photos_have_the_direction_of_the_first() -> None:
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    columns = Columns.read(pack_columns([Product("1", "1")] * 2))
    np.testing.assert_array_equal(Gallery(vectors, ["a", "b"], columns).product_photos("1")[1], vectors[0])


def test_without_products_there_are_no_columns() -> None:
    gallery = Gallery(unit_vectors(3, 0), ["a", "b", "c"])
    assert list(gallery.columns) == []
    found = gallery.search(unit_vectors(1, 0)[0], group=True, fields=None)
    assert len(found) == 3
    assert (list(found.products), list(found.others), found.facets) == ([], [], {})
    with pytest.raises(UnknownProductError):
        gallery.product_photos("a")


def test_products_must_be_those_of_the_keys() -> None:
    with pytest.raises(ValueError, match="products of 1 images for 2 keys"):
        Gallery(unit_vectors(2, 0), ["a", "b"], Columns.read(pack_columns([None])))

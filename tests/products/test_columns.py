"""Columns give back the products that they were packed from."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import CorruptIndexError
from embeddings.products.columns import Columns, pack_columns, pack_summaries, read_summaries
from embeddings.products.product import Price, Product
from embeddings.products.safetensors import pack_arrays, unpack_arrays
from tests.products.oracle import galleries


def shown(product: Product | None) -> dict[str, Any] | None:
    if product is None:
        return None
    values: dict[str, Any] = {"id": product.id}
    if product.group != product.id:
        values["item_group_id"] = product.group
    for name, value in product.values.items():
        values[name] = (
            {"value": value.value, "currency": value.currency}
            if isinstance(value, Price)
            else list(value)
            if isinstance(value, tuple)
            else value
        )
    return values


@settings(max_examples=100, deadline=None)
@given(galleries())
def test_products_come_back_as_they_were(products: list[Product | None]) -> None:
    columns = Columns.read(pack_columns(products))
    assert [columns.product(row) for row in range(len(products))] == [shown(each) for each in products]
    for row, product in enumerate(products):
        some = columns.product(row, ["brand", "no such"])
        brand = None if product is None else product.values.get("brand")
        assert some == (None if product is None else {} if brand is None else {"brand": brand})


@settings(max_examples=100, deadline=None)
@given(galleries())
def test_photos_of_one_group_have_the_same_number(products: list[Product | None]) -> None:
    columns = Columns.read(pack_columns(products))
    groups = columns.groups.tolist()
    for first, one in enumerate(products):
        assert (groups[first] == -1) == (one is None)
        for second, other in enumerate(products):
            if one is not None and other is not None:
                assert (groups[first] == groups[second]) == (one.group == other.group)
        if one is not None:
            assert columns.group_of(one.group) == groups[first]
            ids = {each.group for each in products if each is not None}
            if one.id not in ids:
                assert columns.group_of(one.id) == groups[first]
    assert columns.group_of("no such") is None


def test_a_product_of_several_photos_is_stored_once() -> None:
    product = Product("1", "1", {"title": "A shirt " * 100})
    assert len(pack_columns([product] * 50)) - len(pack_columns([product])) <= 49 * 4 + 16


def test_a_list_names_each_text_once() -> None:
    columns = Columns.read(pack_columns([Product("1", "1", {"color": ("red", "blue", "RED", "red ", "Blue")})]))
    assert columns.product(0, ["color"]) == {"color": ["red", "blue"]}


def test_equal_products_give_equal_bytes() -> None:
    products = [Product("1", "1", {"a": "x", "b": ("y", "z")}), None, Product("2", "1", {"b": ("y",), "a": "X"})]
    assert pack_columns(products) == pack_columns(list(products))


def test_a_column_is_described_by_its_frequent_values() -> None:
    brands = ["Nike"] * 3 + ["Puma"] + ["Adidas"] * 2
    products = [
        Product(
            str(number), str(number), {"brand": brand, "price": Price(10.0 * number, "EUR"), "color": ("red", "blue")}
        )
        for number, brand in enumerate(brands)
    ]
    described = {each.name: each for each in Columns.read(pack_columns(products)).summaries}
    assert list(described) == ["id", "item_group_id", "brand", "price", "color"]
    assert described["brand"].values == ("Nike", "Adidas", "Puma")
    assert (described["price"].type, described["price"].least, described["price"].most) == ("price", 0, 50)
    assert (described["color"].type, described["color"].values) == ("list", ("blue", "red"))


def test_the_columns_of_s3_vectors_are_described_alike() -> None:
    products = [Product("1", "g", {"brand": "Nike", "price": Price(9, "EUR")}), Product("2", "2", {"title": "A shirt"})]
    assert read_summaries(pack_summaries(products)) == Columns.read(pack_columns(products)).summaries
    with pytest.raises(CorruptIndexError, match="is damaged"):
        read_summaries(b"")


def test_a_column_of_texts_and_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="the column size holds both"):
        pack_columns([Product("1", "1", {"size": "M"}), Product("2", "2", {"size": 38.0})])


def test_a_newer_format_is_refused_by_name() -> None:
    arrays, metadata = unpack_arrays(pack_columns([None]))
    newer = pack_arrays(arrays, {**metadata, "format": "3"})
    with pytest.raises(
        CorruptIndexError, match=r"products.safetensors of the index has format '3', this version reads '1' and '2'"
    ):
        Columns.read(newer, "products.safetensors of the index")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_can_be_used(data: st.DataObject) -> None:
    """Nothing raises another error, and no array is read beyond its end."""
    products = [Product("1", "g", {"brand": "Nike", "color": ("red", "blue"), "price": Price(1.5, "EUR")}), None]
    content = bytearray(pack_columns(products))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        columns = Columns.read(bytes(content))
    except CorruptIndexError:
        return
    for row in range(len(columns.rows)):
        columns.product(row)
    assert len(columns.groups) == len(columns.rows)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("rows", np.array([0, 9], np.int32)),
        ("rows", np.array([0, -1], np.int32)),
        ("brand.codes", np.array([7, 7], np.uint8)),
        ("brand.codes", np.array([0], np.uint8)),
        ("brand.offsets", np.array([0, 99], np.uint32)),
        ("color.owners", np.array([1, 0], np.int32)),
        ("color.owners", np.array([0, 2], np.int32)),
        ("price.numbers", np.array([1.0])),
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_are_damage(name: str, values: np.ndarray) -> None:
    products = [Product("1", "1", {"brand": "Nike", "color": ("red", "blue"), "price": Price(1.5, "EUR")}), None]
    arrays, metadata = unpack_arrays(pack_columns(products))
    with pytest.raises(CorruptIndexError, match="is damaged"):
        Columns.read(pack_arrays({**arrays, name: values}, metadata))

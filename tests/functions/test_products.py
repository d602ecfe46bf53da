"""Products in the answers of the running server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from embeddings.errors import CorruptIndexError
from embeddings.index.generation import load_generation
from embeddings.storage.reader import open_reader
from tests.functions.conftest import IMAGE_BASE, Service, serve
from tests.functions.products import PRODUCTS, add_products

pytestmark = pytest.mark.slow  # starts the service

RED = "shirts/80.jpg"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(index, folder / "index")
    add_products(folder / "index", PRODUCTS)
    with serve(folder / "log", INDEX_URI=str(folder / "index"), IMAGE_BASE_URL=IMAGE_BASE) as running:
        yield running


def similar(key: str = RED, /, **parameters: object) -> str:
    return f"/v1/similar?{urlencode({'key': key, **parameters}, doseq=True)}"


def test_each_result_shows_its_product(shop: Service) -> None:
    results = {each["key"]: each for each in shop.get(similar(k=100)).json["results"]}
    assert results["shirts/wide 80+.png"]["product"] == {
        "id": "shirt-red",
        "item_group_id": "shirt",
        "title": "Linen shirt",
        "link": "https://shop.example/shirt?a=1&b=2",
        "brand": "Nordhem",
        "price": {"value": 39.0, "currency": "EUR"},
        "availability": "in_stock",
        "color": ["red", "white"],
    }
    assert results["shoes/summer/50.jpg"]["product"]["heel"] == 2.5
    assert "item_group_id" not in results["shoes/summer/50.jpg"]["product"]
    assert "product" not in results["coats/1.jpg"]
    assert not any("others" in each for each in results.values())


def test_fields_choose_what_is_shown(shop: Service) -> None:
    shown = shop.get(similar(where="id:shoe", fields="price, title,no such")).json["results"][0]["product"]
    assert shown == {"title": "Summer <b>shoe</b>", "price": {"value": 80.0, "currency": "EUR"}}
    assert shop.get(similar(where="id:shoe", fields="color")).json["results"][0]["product"] == {}
    answer = shop.get(similar(where="id:shoe", fields="")).json
    assert answer["query"]["fields"] == []
    assert "product" not in answer["results"][0]


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        (["brand:alba"], ["shoes/summer/50.jpg", "shoes/summer/wide 50+.png"]),
        (["brand:Nordhem,ALBA", "price:..39"], ["shirts/20.jpg", "shirts/wide 80+.png"]),
        (["price:19.5..39"], ["shirts/20.jpg", "shirts/wide 80+.png"]),
        (["brand:nordhem", "-availability:out of stock"], ["shirts/wide 80+.png"]),
        (["color:WHITE"], ["shirts/wide 80+.png"]),
        (["heel:2.5"], ["shoes/summer/50.jpg", "shoes/summer/wide 50+.png"]),
        (["brand:none"], []),
    ],
)
def test_conditions_leave_what_meets_them(shop: Service, where: list[str], keys: list[str]) -> None:
    answer = shop.get(similar(where=where))
    assert sorted(answer.keys) == keys
    assert answer.json["query"]["where"] == where


def test_an_image_without_a_product_meets_what_is_not(shop: Service, photos: dict[str, bytes]) -> None:
    keys = shop.get(similar(where="-brand:nordhem,alba", k=100)).keys
    assert sorted(keys) == sorted(set(photos) - set(PRODUCTS))


def test_conditions_of_a_form_are_replaced_by_those_of_the_query(shop: Service, photos: dict[str, bytes]) -> None:
    fields = {"where": "brand:alba"}
    assert len(shop.upload("/v1/search", photos[RED], **fields).keys) == 2
    answer = shop.upload("/v1/search?where=brand:nordhem&where=price:39&k=7", photos[RED], **fields)
    assert answer.keys == ["shirts/80.jpg", "shirts/wide 80+.png"]


def test_each_product_comes_once(shop: Service, photos: dict[str, bytes]) -> None:
    answer = shop.upload("/v1/search?where=price:0..&group=product", photos[RED]).json
    assert [(each["product"]["id"], each["key"], each["others"]) for each in answer["results"]] == [
        ("shirt-red", "shirts/80.jpg", ["shirts/wide 80+.png", "shirts/20.jpg"]),
        ("shoe", answer["results"][1]["key"], answer["results"][1]["others"]),
    ]
    everything = shop.upload("/v1/search?group=product&k=100", photos[RED]).keys
    assert len(everything) == len(photos) - 3


def test_a_product_is_not_similar_to_itself(shop: Service) -> None:
    keys = shop.get(similar(group="product", k=100)).keys
    assert not [key for key in keys if key in PRODUCTS and PRODUCTS[key].group == "shirt"]


@pytest.mark.parametrize("product", ["shirt", "shirt-red", "shirt-dark"])
def test_a_product_is_searched_by_all_its_photos(shop: Service, product: str, photos: dict[str, bytes]) -> None:
    answer = shop.get(f"/v1/similar?product={product}&k=100")
    own = {key for key, each in PRODUCTS.items() if each.group == "shirt"}
    assert sorted(answer.keys) == sorted(set(photos) - own)
    assert (answer.json["query"]["product"], answer.json["query"]["key"]) == (product, "shirts/20.jpg")
    assert answer.json["query"]["url"] == f"{IMAGE_BASE}/shirts/20.jpg"


def test_key_and_product_exclude_each_other(shop: Service) -> None:
    for query in ("", "?key=", "?product=", "?key=coats/1.jpg&product=shoe"):
        assert shop.get(f"/v1/similar{query}").problem == (400, "parameter-invalid")
    assert shop.get("/v1/similar?product=Shoe").problem == (404, "product-unknown")


def test_facets_count_all_that_matches(shop: Service) -> None:
    def facets(**parameters: object) -> object:
        return shop.get(similar("coats/1.jpg", k=1, **parameters)).json["facets"]

    assert facets(facets="brand,price,heel,color") == {
        "brand": {"values": [{"value": "Nordhem", "count": 3}, {"value": "Alba", "count": 2}]},
        "price": {"least": 19.5, "most": 80.0},
        "heel": {"least": 2.5, "most": 2.5},
        "color": {"values": [{"value": "red", "count": 2}, {"value": "white", "count": 2}]},
    }
    assert facets(facets="brand", group="product", prefix="shirts") == {
        "brand": {"values": [{"value": "Nordhem", "count": 1}]}
    }
    assert facets(facets="price", where="brand:none") == {"price": {"least": None, "most": None}}


def test_a_random_image_meets_the_conditions(shop: Service) -> None:
    for _ in range(5):
        key = shop.get("/v1/random?where=brand:alba&prefix=shoes").json["query"]["key"]
        assert key in ("shoes/summer/50.jpg", "shoes/summer/wide 50+.png")
    assert shop.get("/v1/random?where=brand:none").problem == (404, "gallery-empty")


def test_the_index_lists_its_columns(shop: Service) -> None:
    columns = {each.pop("name"): each for each in shop.get("/v1/index").json["columns"]}
    assert columns["brand"] == {"type": "text", "values": ["Alba", "NORDHEM", "Nordhem"]}
    assert columns["color"] == {"type": "list", "values": ["red", "white"]}
    assert columns["price"] == {"type": "price", "currencies": ["EUR"], "least": 19.5, "most": 80.0}
    assert columns["heel"] == {"type": "number", "least": 2.5, "most": 2.5}


COLUMNS = "the columns are id (text), item_group_id (text), title (text), brand (text), price (price), "
COLUMNS += "availability (text), link (text), color (list), heel (number)."


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({"where": "size:M"}, f"where: there is no such column; {COLUMNS}"),
        ({"where": "brand:1..2"}, f"where: brand holds texts, which have no ranges; {COLUMNS}"),
        ({"where": "price:cheap"}, f"10.. or ..50; {COLUMNS}"),
        ({"where": "brand"}, "such as brand:Alba."),
        ({"where": ["price:1"] * 17}, "where: give at most 16 conditions."),
        ({"where": "brand:" + "x," * 65}, "where: a condition has at most 64 values of at most 256 characters."),
        ({"facets": "size"}, f"facets: there is no such column; {COLUMNS}"),
        ({"facets": ",".join("abcdefghi")}, "facets must be the names of at most 8 columns"),
        ({"fields": ",".join(map(str, range(201)))}, "fields must be the names of at most 200 columns"),
        ({"group": "brand"}, "group must be product."),
    ],
)
def test_what_is_wrong_is_said(shop: Service, parameters: dict[str, object], detail: str) -> None:
    answer = shop.get(similar(**parameters))
    assert answer.problem == (400, "parameter-invalid")
    assert detail in answer.json["detail"]


def test_the_original_routes_stay_as_they_are(shop: Service, service: Service, photos: dict[str, bytes]) -> None:
    assert shop.upload("/", photos[RED]).json == service.upload("/", photos[RED]).json
    assert len(shop.get("/random?where=x").json) == 17


def test_an_index_without_products_has_no_columns(service: Service) -> None:
    assert service.get("/v1/index").json["columns"] == []
    answer = service.get(similar(where="brand:alba"))
    assert answer.problem == (400, "parameter-invalid")
    assert "this index knows no products" in answer.json["detail"]
    plain = service.get(similar()).json
    grouped = service.get(similar(group="product", fields="title")).json
    assert grouped["results"] == plain["results"]
    assert service.get("/v1/similar?product=shoe").problem == (404, "product-unknown")


def test_products_of_another_generation_are_damage(index: Path, tmp_path: Path) -> None:
    shutil.copytree(index, tmp_path / "index")
    add_products(tmp_path / "index", PRODUCTS)
    load_generation(open_reader(str(tmp_path / "index")))
    manifest = json.loads((tmp_path / "index/current.json").read_bytes())
    [file] = (tmp_path / "index/generations" / manifest["generation"]).glob("products*")
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(CorruptIndexError, match=r"products\.safetensors of the index is damaged"):
        load_generation(open_reader(str(tmp_path / "index")))

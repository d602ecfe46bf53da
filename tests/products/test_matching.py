from embeddings.products.feed import read_feed
from embeddings.products.matching import Matches, match

BASE = "https://images.example/gallery"


def matched(feed: str, keys: list[str], base: str = BASE) -> Matches:
    return match(read_feed(feed.encode()).rows, keys, base)


def shown(matches: Matches) -> dict[str, str]:
    return {key: product.id for key, product in sorted(matches.products.items())}


def test_a_key_names_its_photo() -> None:
    matches = matched("id,key\na,shirts/red.jpg\nb,shirts/blue.jpg\n", ["shirts/red.jpg", "red.jpg"])
    assert shown(matches) == {"shirts/red.jpg": "a"}
    assert [(each.line, each.id, each.reason) for each in matches.refusals.first] == [
        (3, "b", "the gallery has no photo 'shirts/blue.jpg'")
    ]


def test_a_link_names_the_photo_at_its_path_below_the_gallerys_address() -> None:
    feed = f"id,image_link\na,{BASE}/shirts/r%C3%B6t%20%2B.jpg?v=3\nb,HTTP://IMAGES.example/gallery/shoes/x.jpg\n"
    assert shown(matched(feed, ["shirts/röt +.jpg", "shoes/x.jpg", "hats/x.jpg"])) == {
        "shirts/röt +.jpg": "a",
        "shoes/x.jpg": "b",
    }


def test_a_link_elsewhere_names_the_only_photo_of_its_file_name() -> None:
    feed = "id,image_link\na,https://cdn.shop.example/files/1/red.jpg?v=1698\nb,https://cdn.shop.example/x.jpg\nc,[::1/y.jpg\n"
    matches = matched(feed, ["shirts/red.jpg", "one/x.jpg", "two/x.jpg"])
    assert shown(matches) == {"shirts/red.jpg": "a"}
    assert [each.reason for each in matches.refusals.first] == [
        "2 photos of the gallery are named 'x.jpg': add a column key with the photo's key",
        "the gallery has no photo named 'y.jpg'",
    ]


def test_a_plain_path_is_a_key() -> None:
    assert shown(matched("id,image_link\na,one/x.jpg\n", ["one/x.jpg", "two/x.jpg"], base="")) == {"one/x.jpg": "a"}


def test_additional_photos_belong_to_the_product() -> None:
    feed = 'id,image_link,additional_image_link\na,a.jpg,"b.jpg, c.jpg,none.jpg"\n'
    matches = matched(feed, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    assert shown(matches) == {"a.jpg": "a", "b.jpg": "a", "c.jpg": "a"}
    assert matches.products["a.jpg"] is matches.products["c.jpg"]
    assert not matches.refusals.count


def test_a_key_counts_before_an_image_link_and_that_before_an_additional_one() -> None:
    feed = "id,key,image_link,additional_image_link\na,,x.jpg,y.jpg\nb,,y.jpg,\nc,x.jpg,,\n"
    matches = matched(feed, ["x.jpg", "y.jpg"])
    assert shown(matches) == {"x.jpg": "c", "y.jpg": "b"}
    assert [(each.line, each.reason) for each in matches.refusals.first] == [
        (2, "its photo x.jpg shows c of line 4 already")
    ]


def test_variants_that_share_photos_are_joined() -> None:
    feed = """id,item_group_id,image_link,size,availability,price
a-s,a,a.jpg,S,out of stock,10 USD
a-m,a,a.jpg,M,in stock,11 USD
a-l,a,a.jpg,L,in stock,12 USD
b-s,b,b.jpg,S,out of stock,10 USD
"""
    matches = matched(feed, ["a.jpg", "b.jpg"])
    joined = matches.products["a.jpg"]
    assert (joined.id, joined.group, joined.values["size"]) == ("a-m", "a", ("M", "L"))
    assert joined.values["availability"] == "in_stock"
    assert matches.products["b.jpg"].values["size"] == ("S",)
    assert not matches.refusals.count


def test_a_product_is_the_same_on_all_its_photos() -> None:
    feed = "id,item_group_id,image_link,additional_image_link,size\na-s,a,a.jpg,b.jpg,S\na-m,a,a.jpg,,M\n"
    products = matched(feed, ["a.jpg", "b.jpg"]).products
    assert products["a.jpg"] == products["b.jpg"]
    assert products["a.jpg"].values["size"] == ("S", "M")


def test_a_variants_own_photo_stays_its_own() -> None:
    feed = """id,item_group_id,image_link,additional_image_link,color
a-red,a,red.jpg,blue.jpg,red
a-blue,a,blue.jpg,red.jpg,blue
"""
    matches = matched(feed, ["red.jpg", "blue.jpg"])
    assert matches.products["red.jpg"].values["color"] == ("red",)
    assert matches.products["blue.jpg"].values["color"] == ("blue",)

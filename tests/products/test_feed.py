"""Reading feeds: what is understood, and what a feed that is wrong is told."""

import tracemalloc
from collections.abc import Sequence

import pytest

from embeddings.errors import FeedError
from embeddings.products.feed import Feed, read_feed
from embeddings.products.product import Price

CSV = b"""id,title,link,image_link,price,availability,color,product_type,item_group_id,rating
a-1,Red shirt,https://shop.example/a-1,https://cdn.example/a.jpg,15.00 USD,in stock,Red/Green,Clothes > Shirts,a,4.5
b-1,"Shoe, brown",https://shop.example/b-1,https://cdn.example/b.jpg,"1,299.00 USD",out_of_stock,brown,Shoes,,3
"""

RSS = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<title>The shop</title>
<item>
  <g:id>a-1</g:id><title>Ignored</title><g:title>Red &amp; green</g:title><link>https://shop.example/a-1</link>
  <g:image_link>https://cdn.example/a.jpg</g:image_link>
  <g:additional_image_link>https://cdn.example/b.jpg</g:additional_image_link>
  <g:additional_image_link>https://cdn.example/c.jpg</g:additional_image_link>
  <g:shipping><g:country>US</g:country><g:price>5 USD</g:price></g:shipping>
  <g:price>15 USD</g:price><g:description><![CDATA[<b>Long</b>]]></g:description>
</item>
</channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>The shop</title>
<entry><id>tag:shop</id><g:id>a-1</g:id><title>Red</title><link href="https://shop.example/a-1"/>
<g:image_link>https://cdn.example/a.jpg</g:image_link></entry></feed>"""


def refused(feed: Feed) -> list[tuple[int, str, str]]:
    return [(each.line, each.id, each.reason) for each in feed.refusals.first]


def read(rows: Sequence[str], header: str = "id,image_link,price") -> Feed:
    return read_feed("\n".join([header, *rows]).encode(errors="surrogateescape"))


def test_a_csv_feed_is_read() -> None:
    feed = read_feed(CSV)
    assert not feed.refusals.count
    first, second = feed.rows
    assert (first.line, first.image_link) == (2, "https://cdn.example/a.jpg")
    assert (first.product.id, first.product.group) == ("a-1", "a")
    assert first.product.values == {
        "title": "Red shirt",
        "link": "https://shop.example/a-1",
        "price": Price(15, "USD"),
        "availability": "in_stock",
        "color": ("Red", "Green"),
        "product_type": ("Clothes", "Shirts"),
        "rating": 4.5,
    }
    assert (second.product.group, second.product.values["title"]) == ("b-1", "Shoe, brown")
    assert second.product.values["price"] == Price(1299, "USD")
    assert second.product.values["availability"] == "out_of_stock"


@pytest.mark.parametrize("separator", ["\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_other_tables_are_read_alike(separator: str, end: str, mark: str) -> None:
    table = [["ID", "Image Link", "g:title"], ["a", "a.jpg", "Größe 36"], ["b", "b.jpg", "two  spaces "]]
    feed = read_feed((mark + "".join(separator.join(row) + end for row in table)).encode())
    assert [(row.line, row.product.id, row.product.values) for row in feed.rows] == [
        (2, "a", {"title": "Größe 36"}),
        (3, "b", {"title": "two spaces"}),
    ]


def test_an_rss_feed_is_read() -> None:
    (row,) = read_feed(RSS).rows
    assert (row.line, row.product.id) == (4, "a-1")
    assert row.product.values == {
        "title": "Red & green",
        "link": "https://shop.example/a-1",
        "price": Price(15, "USD"),
    }
    assert row.additional_image_links == ("https://cdn.example/b.jpg", "https://cdn.example/c.jpg")


def test_an_atom_feed_is_read() -> None:
    (row,) = read_feed(ATOM).rows
    assert (row.product.id, row.product.values) == ("a-1", {"title": "Red", "link": "https://shop.example/a-1"})


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("15.00 USD", (15, "USD")),
        ("15.00USD", (15, "USD")),
        ("EUR 15", (15, "EUR")),
        ("15,50 EUR", (15.5, "EUR")),
        ("1,299 USD", (1299, "USD")),
        ("12,345,678.90 JPY", (12345678.9, "JPY")),
        ("0 USD", (0, "USD")),
    ],
)
def test_prices_are_read(text: str, price: tuple[float, str]) -> None:
    assert read([f'a,a.jpg,"{text}"']).rows[0].product.values["price"] == Price(*price)


@pytest.mark.parametrize("text", ["15.00", "free", "$15.00", "-1 USD", "nan USD", "1e9 USD", "15 usd", "1,2,3 USD"])
def test_a_price_that_is_none_refuses_its_row_alone(text: str) -> None:
    feed = read([f'bad,a.jpg,"{text}"', "good,b.jpg,15 USD"])
    assert [row.product.id for row in feed.rows] == ["good"]
    assert refused(feed) == [(2, "bad", f"price is {text!r}: give a number and a currency, such as 15.00 USD")]


def test_each_row_that_cannot_be_used_is_refused_with_its_line() -> None:
    feed = read(
        [
            ",a.jpg,1 USD",
            "no-photo,,1 USD",
            "short,a.jpg",
            "long,a.jpg,1 USD,2 USD",
            "",
            "good,a.jpg,1 USD,,",
            "good,b.jpg,1 USD",
            "latin-\udcfc,a.jpg,1 USD",
            f"{'x' * 201},a.jpg,1 USD",
            f"huge,{'x' * 200_000},1 USD",
        ]
    )
    assert [row.product.id for row in feed.rows] == ["good"]
    assert refused(feed) == [
        (2, "", "it has no id"),
        (3, "no-photo", "it names no photo: it has no key, no image_link and no additional_image_link"),
        (4, "", "the row has 2 cells, the header 3"),
        (5, "", "the row has 4 cells, the header 3"),
        (8, "good", "its id is that of line 7"),
        (9, "", "id is not UTF-8: save the feed as UTF-8"),
        (10, "x" * 200, "its id has 201 characters, the limit is 200"),
        (11, "", "a cell has more than 131,072 characters"),
    ]


def test_a_quote_that_is_not_closed_costs_its_own_row_alone() -> None:
    feed = read(['a,"a.jpg,1 USD', *(f"b{number},b.jpg,2 USD" for number in range(20_000)), "c,c.jpg,3 USD"])
    assert len(feed.rows) == 20_001
    ((line, _, reason),) = refused(feed)
    assert line == 2
    assert reason.startswith("a cell has more than 131,072 characters; it ends on line ")
    assert reason.endswith(": is a quote not closed?")


def test_a_cell_of_several_lines_is_read() -> None:
    feed = read(['a,a.jpg,"one\ntwo"', "b,b.jpg,three"], header="id,image_link,note")
    assert [(row.line, row.product.values["note"]) for row in feed.rows] == [(2, "one two"), (4, "three")]


def test_quotes_that_never_match_end_soon() -> None:
    with pytest.raises(FeedError, match="that is the case in more than 1,000 rows"):
        read([f'{number},"a.jpg' for number in range(5_000)])


def test_a_cell_of_100_mb_needs_little_more_memory_than_itself() -> None:
    content = b"id,image_link\nhuge," + b"x" * 100_000_000 + b"\ngood,a.jpg\n"
    tracemalloc.start()
    feed = read_feed(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.product.id for row in feed.rows] == ["good"]
    assert refused(feed) == [(2, "", "a cell has more than 131,072 characters")]
    assert peak < 3 * len(content)


def test_an_xml_cell_of_100_mb_is_refused() -> None:
    huge = RSS.replace(b"<title>Ignored</title>", b"<note>" + b"x" * 100_000_000 + b"</note>")
    good = RSS[RSS.index(b"<item>") :].replace(b"a-1", b"good")
    feed = read_feed(huge.replace(b"</channel></rss>", good))
    assert [row.product.id for row in feed.rows] == ["good"]
    assert refused(feed) == [(4, "a-1", "note has more than 131,072 characters")]


def test_of_many_refused_rows_only_the_first_are_kept() -> None:
    feed = read_feed(b"id,image_link\n" + b"1\n" * 5_000 + b"good,a.jpg\n")
    assert (feed.refusals.count, len(feed.refusals.first)) == (5_000, 1_000)
    assert feed.refusals.first[-1].line == 1_001


def test_a_feed_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.products.feed.MOST_ROWS", 2)
    with pytest.raises(FeedError, match="it has more than 2 rows"):
        read(["a,a.jpg,", "b,b.jpg,", "c,c.jpg,"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf \n\n", "it is empty"),
        (b"id,image_link\n", "it has no usable row"),
        (b"id,image_link\n,\na,\n", "it has no usable row; line 3: it names no photo"),
        (b"name,price\na,1\n", "its header has no column id; it begins with 'name,price'"),
        (b"id," + b"x," * 300 + b"\n", "it has 302 columns, the limit is 200"),
        (b"\x1f\x8b\x08\x00", "it is compressed"),
        (b"PK\x03\x04", "it is a ZIP or Excel file: export CSV"),
        ("id\timage_link\n".encode("utf-16"), "it is UTF-16: save it as UTF-8"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "it is an HTML page: give the address of the feed itself"),
        (b"<sitemap><url/></sitemap>", "it has no <item> (RSS) and no <entry> (Atom), but a <sitemap>"),
        (RSS[:-80], "line 10: it is not well-formed XML: unclosed token"),
        (RSS.replace(b"&amp;", b"&"), "line 5: it is not well-formed XML: not well-formed (invalid token)"),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><item><id>&b;</id></item></rss>',
            "line 1: it declares entities",
        ),
        (
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><item><id>&a;</id></item></rss>',
            "line 1: it declares entities",
        ),
        (b'<?xml version="1.0" encoding="none-such"?><rss/>', "line 1: it"),
    ],
)
def test_a_feed_that_is_none_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(FeedError) as raised:
        read_feed(content)
    assert reason in str(raised.value)


def test_numbers_are_numbers_only_if_all_of_a_column_are() -> None:
    feed = read(
        ["a,a.jpg,4.5,38,00123,4006381333931,12", "b,b.jpg,-3,M,00124,4006381333932,"],
        header="id,image_link,rating,size,code,ean,stock",
    )
    assert feed.rows[0].product.values == {
        "rating": 4.5,
        "size": ("38",),
        "code": "00123",
        "ean": "4006381333931",
        "stock": 12.0,
    }
    assert feed.rows[1].product.values["rating"] == -3.0


def test_columns_without_values_are_told() -> None:
    feed = read(["a,a.jpg,,,", "b,b.jpg,,x,"], header="id,image_link,brand,title,key")
    assert feed.empty_columns == ("brand",)


def test_what_nobody_may_see_is_left_out() -> None:
    feed = read(["a,a.jpg,7 USD,text"], header="id,image_link,cost_of_goods_sold,description")
    assert feed.rows[0].product.values == {}


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "/shirts/1", "shop.example/1"])
def test_a_link_that_is_no_address_refuses_its_row(link: str) -> None:
    feed = read([f'a,a.jpg,"{link}"', "b,b.jpg,HTTPS://shop.example/b"], header="id,image_link,link")
    assert refused(feed) == [(2, "a", f"link is {link!r}: give an address that begins with https:// or http://")]
    assert feed.rows[0].product.values["link"] == "HTTPS://shop.example/b"


def test_a_text_too_long_to_keep_refuses_its_row() -> None:
    feed = read([f"a,a.jpg,{'x' * 5_001}", "b,b.jpg,fine"], header="id,image_link,title")
    assert refused(feed) == [(2, "a", "title has 5,001 characters, the limit is 5,000")]


def test_a_column_that_is_there_twice_counts_the_first_time() -> None:
    feed = read(["a,a.jpg,one,two"], header="id,image_link,title,Title")
    assert feed.rows[0].product.values == {"title": "one"}

"""Whatever bytes a feed has, it is read or refused with a reason, and what was read can be published."""

import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from embeddings.errors import FeedError
from embeddings.index.sources import FeedState, Sources
from embeddings.products.columns import Columns, pack_columns
from embeddings.products.feed import Feed, read_feed
from embeddings.products.matching import match
from embeddings.products.product import Product
from embeddings.s3_vectors.metadata import metadata_of, space_left
from embeddings.s3_vectors.products import product_metadata
from tests.servers.s3vectors import Index, _check_metadata

KEYS = ["a.jpg", "b.jpg", "one/a.jpg", "ü b.jpg"]
NAMES = [
    "id",
    "key",
    "image_link",
    "additional_image_link",
    "item_group_id",
    "title",
    "price",
    "color",
    "size",
    "rating",
]
CELLS = st.sampled_from(
    [
        *KEYS,
        "",
        "1",
        "2",
        "15.00 USD",
        "x/y",
        '"',
        '""',
        "a,b",
        "\t",
        "\n",
        "\r",
        "\0",
        "\ud800",
        "é",
        "https://[",
        "%zz",
    ]
) | st.text(st.characters(codec="utf-8"), max_size=8)
TABLES = st.tuples(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=6),
    st.sampled_from(",\t;"),
    st.lists(st.lists(CELLS, max_size=7), max_size=8),
).map(lambda made: "\n".join(made[1].join(row) for row in [["id", *made[0]], *made[2]]).encode(errors="surrogatepass"))
ITEMS = st.lists(st.tuples(st.sampled_from(NAMES), st.text(string.printable + "<>&ü", max_size=12)), max_size=6).map(
    lambda cells: (
        '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>1</g:id><g:key>a.jpg</g:key>'
        + "".join(f"<g:{name}>{text}</g:{name}>" for name, text in cells)
        + "</item></channel></rss>"
    ).encode()
)


def read(content: bytes) -> Feed | None:
    try:
        return read_feed(content)
    except FeedError as error:
        reason = str(error)
    reason.encode()
    assert 0 < len(reason) < 1_000
    return None


@settings(deadline=None)
@given(TABLES | ITEMS | st.binary(max_size=200) | st.binary(max_size=100).map(lambda end: b"id,key\n1,a.jpg\n" + end))
@example(b"<")
@example(b"id\xff,key\n1,a.jpg\n")
def test_any_feed_is_read_or_refused_with_a_reason(content: bytes) -> None:
    feed = read(content)
    if feed is None:
        return
    lines = content.count(b"\n") + content.count(b"\r") + 1
    matches = match(feed.rows, KEYS, "https://images.example/")
    for refusal in (feed.refusals + matches.refusals).first:
        assert 1 <= refusal.line <= lines
        assert 0 < len(refusal.reason) < 1_000
    kinds: dict[str, set[type]] = {}
    for row in feed.rows:
        for name, value in row.product.values.items():
            kinds.setdefault(name, set()).add(type(value))
            assert value not in ("", ())
    assert all(len(each) == 1 for each in kinds.values())
    assert len({row.product.id for row in feed.rows}) == len(feed.rows)
    publishable([matches.products.get(key) for key in KEYS])
    state = FeedState("", '"1"', refusals=tuple(feed.refusals.first), hidden=frozenset({"a.jpg"}))
    sources = Sources(dict.fromkeys(KEYS, "etag"), {}, state)
    assert Sources.from_bytes(sources.to_bytes(), "sources") == sources


def publishable(products: list[Product | None]) -> None:
    """Check that a matrix and S3 Vectors take the products as they are."""
    columns = Columns.read(pack_columns(products))
    index = Index(4, frozenset({"etag", "product"}))
    for row, (key, product) in enumerate(zip(KEYS, products, strict=True)):
        shown = columns.product(row)
        assert (shown is None) == (product is None)
        if product is not None and shown is not None:
            assert shown["id"] == product.id
            _check_metadata(metadata_of(key, "etag", product_metadata(product, space_left(key))[0]), index)

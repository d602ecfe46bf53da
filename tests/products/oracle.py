"""Products drawn by hypothesis, and filters and facets worked out by the definition."""

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from embeddings.products.product import Price, Product, Value

TEXTS = ("Nike", "NIKE", "nike", "in_stock", "In Stock", "hüte", "HÜTE", "日本", "ß", "SS", "a,b", "-x", "x" * 300)
NUMBERS = (-1.5, 0.0, 9.99, 10.0, 50.0, 1e9)


def alike(text: str) -> str:
    return " ".join(re.findall(r"[^\s_]+", text.casefold()))


COLUMNS: dict[str, st.SearchStrategy[Value]] = {
    "title": st.sampled_from(TEXTS),
    "brand": st.sampled_from(TEXTS[:3]),
    "color": st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3, unique_by=alike).map(tuple),
    "weight": st.sampled_from(NUMBERS),
    "price": st.builds(Price, st.sampled_from(NUMBERS[1:]), st.sampled_from(["EUR", "USD"])),
}


@st.composite
def galleries(draw: st.DrawFn, least: int = 0) -> list[Product | None]:
    """Draw the product of each photo; some share one, some have none, and some products are variants of one."""
    values = st.fixed_dictionaries({}, optional=COLUMNS)
    made = [
        Product(f"p{number}", draw(st.sampled_from([f"p{number}", "p0", "g1", "G1"])), draw(values))
        for number in range(draw(st.integers(least, 8)))
    ]
    return draw(st.lists(st.sampled_from([None, *made]), min_size=least, max_size=20))


@st.composite
def conditions(draw: st.DrawFn, columns: Sequence[str]) -> str:
    """Draw one condition on one of the columns."""
    column = draw(st.sampled_from(columns))
    if column in ("price", "weight"):
        ends = st.sampled_from(["", "-2", "0", "9.99", "1e1", "+50.0", "2000000000"])
        ranges = st.tuples(ends, ends).filter(any).map("..".join)
        values = st.lists(st.one_of(ends.filter(bool), ranges), min_size=1, max_size=3)
    else:
        texts = ("p0", "P1", "g1", "nike", "IN STOCK", "in_stock ", "hüte", "ss", "a\\,b", "none", "-x", "日本")
        values = st.lists(st.sampled_from(texts), min_size=1, max_size=3)
    return f"{draw(st.sampled_from(['', '-']))}{column}:{','.join(draw(values))}"


def values_of(product: Product | None, column: str) -> list[str | float]:
    """List what a product has in a column."""
    if product is None:
        return []
    value = {"id": product.id, "item_group_id": product.group, **product.values}.get(column)
    value = value.value if isinstance(value, Price) else value
    return [] if value is None else list(value) if isinstance(value, tuple) else [value]


def meets(product: Product | None, condition: str) -> bool:
    negated = condition.startswith("-")
    name, _, wanted = condition.removeprefix("-").partition(":")
    return (
        any(_is(has, value) for has in values_of(product, name) for value in re.split(r"(?<!\\),", wanted)) != negated
    )


def _is(has: str | float, wanted: str) -> bool:
    if isinstance(has, str):
        return alike(has) == alike(wanted.replace("\\,", ","))
    first, dots, last = wanted.partition("..")
    if not dots:
        return has == float(wanted)
    return (not first or has >= float(first)) and (not last or has <= float(last))


def facet(products: Sequence[Product | None], column: str, *, grouped: bool) -> dict[str, Any]:
    """Count without spelling: `values` has the folded texts, in no order."""
    has = [(place, each, value) for place, each in enumerate(products) for value in values_of(each, column)]
    if column in ("price", "weight"):
        numbers = [value for _, _, value in has if isinstance(value, float)]
        return {"least": min(numbers, default=None), "most": max(numbers, default=None)}
    counted = {(each.group if grouped else place, value) for place, each, value in has if each is not None}
    if grouped:
        counted = {(group, alike(str(value))) for group, value in counted}
    counts: dict[str, int] = {}
    for _, value in counted:
        counts[alike(str(value))] = counts.get(alike(str(value)), 0) + 1
    return {"values": counts}

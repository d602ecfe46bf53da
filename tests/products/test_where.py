"""Filters agree with their definition; wrong ones are refused with a list of the columns, and none takes long."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import ConditionError
from embeddings.products.column import ColumnSummary
from embeddings.products.columns import Columns, pack_columns
from embeddings.products.product import Price, Product
from embeddings.products.where import Condition, parse_where
from tests.products.oracle import conditions, galleries, meets

SUMMARIES = [
    ColumnSummary("brand", "text", ("Nike",)),
    ColumnSummary("color", "list"),
    ColumnSummary("price", "price", ("EUR",), 1, 99),
    ColumnSummary("weight", "number", (), 1, 2),
]
LISTED = "the columns are brand (text), color (list), price (price), weight (number)"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_filters_agree_with_the_definition(data: st.DataObject) -> None:
    products = data.draw(galleries())
    columns = Columns.read(pack_columns(products))
    names = [each.name for each in columns.summaries]
    given = data.draw(st.lists(conditions(names), max_size=3))
    found = columns.matches(parse_where(given, columns.summaries), slice(None))
    assert found.tolist() == [all(meets(each, condition) for condition in given) for each in products]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("brand:Nike", Condition("brand", False, ("nike",))),
        ("-brand:Nike , PUMA,,", Condition("brand", True, ("nike", "puma"))),
        (" brand : a\\,b", Condition("brand", False, ("a,b",))),
        ("brand:a:b", Condition("brand", False, ("a:b",))),
        ("brand:v1..final", Condition("brand", False, ("v1..final",))),
        ("brand:...", Condition("brand", False, ("...",))),
        ("color:Navy_Blue,navy  blue", Condition("color", False, ("navy blue",))),
        ("price:10..50", Condition("price", False, ranges=((10, 50),))),
        ("price:10..,..5,7", Condition("price", False, ranges=((10, np.inf), (-np.inf, 5), (7, 7)))),
        ("-weight:-1.5..-.5", Condition("weight", True, ranges=((-1.5, -0.5),))),
    ],
)
def test_the_grammar(text: str, condition: Condition) -> None:
    assert parse_where([text], SUMMARIES) == [condition]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("size:M", f"there is no such column; {LISTED}"),
        ("Brand:Nike", f"there is no such column; {LISTED}"),
        (":Nike", f"there is no such column; {LISTED}"),
        ("--brand:Nike", f"there is no such column; {LISTED}"),
        ("brand:10..50", f"brand holds texts, which have no ranges; {LISTED}"),
        ("color:red,5..", f"color holds texts, which have no ranges; {LISTED}"),
        ("price:cheap", f"price holds numbers: give one, or a range such as 10..50, 10.. or ..50; {LISTED}"),
        ("price:10..x", "price holds numbers"),
        ("price:1_0", "price holds numbers"),
        ("price:nan", "price holds numbers"),
        ("price:..inf", "price holds numbers"),
        ("price:٣", "price holds numbers"),
        ("price:1e999", "price holds numbers"),
        ("brand", "a condition needs a colon and a value, such as brand:Nike"),
        ("color:", "a condition needs a colon and a value, such as color:red"),
        ("price:,", "a condition needs a colon and a value, such as price:10..50"),
        ("brand:" + "x" * 257, "at most 64 values of at most 256 characters"),
        ("brand:" + "x," * 65, "at most 64 values"),
        ("brand:" + "x" * 100_000, "at most 64 values"),
    ],
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_where([text], SUMMARIES)
    assert problem in str(refused.value)


def test_seventeen_conditions_are_too_many() -> None:
    assert len(parse_where(["price:1"] * 16, SUMMARIES)) == 16
    with pytest.raises(ConditionError, match="at most 16 conditions"):
        parse_where(["price:1"] * 17, SUMMARIES)


def test_an_index_without_products_says_so() -> None:
    with pytest.raises(ConditionError, match="this index knows no products"):
        parse_where(["brand:Nike"], [])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"-?(brand|color|price|weight):[-0-9.,e\\ ]{0,20}", fullmatch=True))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    try:
        [condition] = parse_where([text], SUMMARIES)
    except ConditionError:
        return
    assert condition.column in ("brand", "color", "price", "weight")
    assert not np.isnan(condition.ranges).any()
    assert bool(condition.texts) != bool(condition.ranges)


@pytest.mark.alone
def test_the_worst_filter_takes_little_time() -> None:
    """16 conditions of 64 values on a column with 60,000 different texts; docs/api.md states the cost."""
    products = [Product(str(number), str(number), {"title": f"Shirt {number}"}) for number in range(60_000)]
    columns = Columns.read(pack_columns(products))
    worst = ["-title:" + ",".join(f"shirt {n}" for n in range(start, start + 64)) for start in range(0, 1024, 64)]
    started = time.process_time()
    kept = columns.matches(parse_where(worst, columns.summaries), slice(None))
    assert time.process_time() - started < 0.5
    assert np.count_nonzero(kept) == 60_000 - 1024


def test_a_number_without_fractions_is_found_too() -> None:
    columns = Columns.read(pack_columns([Product("1", "1", {"price": Price(15, "USD")}), None]))
    assert columns.matches(parse_where(["price:15"], columns.summaries), slice(None)).tolist() == [True, False]

"""Any text as a parameter gives a value within its rule, or a 400 that names the parameter but repeats no text."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.products.column import ColumnSummary
from functions.search.given import Given
from functions.search.parameters import box_parameter, search_parameters
from functions.search.problems import RequestError

NUMBERS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[+-]?[0-9._e]{0,12}", fullmatch=True),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["", "nan", "inf", "-0", "1e400", "٣", "1_0", " 1", "0x1", "1" * 5000]),
)
NAMES = ("k", "offset", "min_score", "dedupe", "prefix", "where", "group", "fields", "facets")


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, NUMBERS)))
def test_search_parameters(texts: dict[str, str]) -> None:
    try:
        found = search_parameters(texts)
    except RequestError as error:
        problem = error.problem
        assert (problem.status, problem.slug) == (400, "parameter-invalid")
        named = problem.detail.split()[0]
        assert named in ("k", "offset", "min_score", "dedupe", "group", "facets")
        return
    assert 1 <= found.k <= 100
    assert 0 <= found.offset <= 1000 - found.k
    for value, least in ((found.min_score, -1), (found.dedupe, 0)):
        assert value is None or (math.isfinite(value) and least <= value <= 1)


@pytest.mark.parametrize("text", ["1" * 65_000 + "x", "." + "1" * 65_000 + "x", "1e" + "1" * 65_000 + "x"])
def test_the_longest_texts_take_no_time(text: str) -> None:
    """The texts are as long as a form's field may be. While a pattern is matched, no other thread runs."""
    started = time.process_time()
    for refused in ({"min_score": text}, {"dedupe": text}, {"k": text}, {"where": f"price:{text}"}, {"facets": text}):
        with pytest.raises(RequestError):
            search_parameters(refused).options([ColumnSummary("price", "price")])
    with pytest.raises(RequestError):
        box_parameter({"box": f"{text},0,1,1"})
    assert time.process_time() - started < 0.5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20) | st.from_regex(r"-?(brand|price):[0-9.,]{1,9}", fullmatch=True), max_size=3))
def test_conditions(texts: list[str]) -> None:
    columns = [ColumnSummary("brand", "text"), ColumnSummary("price", "price")]
    given = Given([("where", text) for text in texts] + [("facets", "price")])
    try:
        options = search_parameters(given).options(columns)
    except RequestError as error:
        problem = error.problem
        assert (problem.status, problem.slug) == (400, "parameter-invalid")
        assert problem.detail.startswith("where: ")
        return
    assert len(options["where"]) == len([text for text in texts if text])
    assert (options["facets"], options["fields"], options["group"]) == (("price",), None, False)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(NUMBERS, min_size=3, max_size=5).map(",".join)))
def test_boxes(text: str) -> None:
    try:
        box = box_parameter({"box": text})
    except RequestError as error:
        problem = error.problem
        assert (problem.status, problem.slug) == (400, "parameter-invalid")
        return
    assert all(map(math.isfinite, box))
    assert 0 <= box.x < 1
    assert 0 <= box.y < 1
    assert box.width > 0
    assert box.height > 0
    assert max(box.x + box.width, box.y + box.height) < 1.00001

"""The tables of docs/scaling.md: their arithmetic, and that the document has what the command prints."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import scaling
from scripts.scaling import EnginePrices, engine_month, main, matrix, matrix_month, query_data_dollars

DOCUMENT, COSTS, OPERATIONS, DEPLOY = (
    " ".join((Path(__file__).parents[2] / "docs" / f"{name}.md").read_text(encoding="utf-8").split())
    for name in ("scaling", "costs", "operations", "deploy-amazon")
)


def test_the_document_has_what_the_command_prints(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    table, flips = capsys.readouterr().out.strip().split("\n\n")
    assert [line for line in (*table.split("\n"), *flips.split("\n")) if line not in DOCUMENT] == []


@pytest.mark.parametrize(
    ("rows", "queries", "dollars"), [(250_000, 1_000_000, 1.93 + 1.44), (10_000_000, 10_000_000, 19.26 + 953.36)]
)
def test_a_query_costs_what_it_does_in_the_examples_of_aws(rows: int, queries: int, dollars: float):
    vector_bytes = 5.17 * 1024
    assert queries * query_data_dollars(rows, vector_bytes, EnginePrices()) == pytest.approx(dollars, rel=0.01)


def test_beyond_ten_million_vectors_each_more_costs_a_fifth():
    prices = EnginePrices()
    ten, twenty, thirty = (query_data_dollars(rows * 1_000_000, 1024, prices) for rows in (10, 20, 30))
    assert thirty - twenty == pytest.approx(twenty - ten)
    assert (twenty - ten) / ten == pytest.approx(0.2, rel=0.02)


def test_the_measurements_are_those_that_the_document_gives():
    small, large = scaling.AT_SMALL, scaling.AT_LARGE
    cold = f"cold start {small.start_ms + small.first_ms:.0f} and {large.start_ms + large.first_ms:,.0f} ms"
    assert f"{cold}, warm {small.warm_ms:.0f} and {large.warm_ms:.0f} ms" in DOCUMENT
    assert f"{small.memory_mb:,.0f} and {large.memory_mb:,.0f} MB" in DOCUMENT
    assert f"{scaling.PHOTOS_A_SECOND:.0f} photos a second" in DOCUMENT
    assert f"start {small.start_ms:.0f} ms" in COSTS


def test_the_line_goes_through_what_was_measured():
    for rows, measured in ((scaling.SMALL, scaling.AT_SMALL), (scaling.LARGE, scaling.AT_LARGE)):
        assert replace(matrix(rows), memory_mb=0) == replace(measured, memory_mb=0)
        assert 0 < matrix(rows).memory_mb - measured.memory_mb < 1.1 * rows / 1024  # a newer matrix beside it


def test_a_deployment_is_told_the_memory_that_the_prices_are_for():
    assert f"raise `memory` (about {scaling.REFRESH_KB} KB a photo)" in OPERATIONS
    (memory,) = re.findall(r"for a million photos deploy with `reindexMemory=\d+` and `memory=(\d+)`", DEPLOY)
    assert int(memory) >= matrix(1_000_000).memory_mb


def test_searches_and_garments_cost():
    for month in (matrix_month, engine_month):
        assert month(60_000, 0) < month(60_000, 10_000) < month(60_000, 1_000_000) < month(3_000_000, 1_000_000)


def test_another_size(capsys: pytest.CaptureFixture[str]):
    assert main(["--rows", "7000000"]) == 0
    printed = capsys.readouterr().out
    assert "| 7,000,000 | S3 Vectors |" in printed
    assert "| 7,000,000 | matrix |" not in printed

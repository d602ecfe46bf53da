"""The cost tables: their arithmetic, the document that shows them, and the measurement with a small gallery."""

import dataclasses
import math
import re
import shlex
from pathlib import Path

import pytest

from scripts.costs import main
from scripts.pricing.bills import MONTH_SECONDS, SERVER_MONTH, Amazon, AmazonPrices, Google, GooglePrices, cold_share
from scripts.pricing.measured import Measured

MEASURED = Measured(start_ms=200, first_ms=300, warm_ms=20, largest_ms=1000, memory_mb=250)
DOCUMENT = (Path(__file__).parents[2] / "docs/costs.md").read_text()


def bill(memory_mb: int = 2048, *, has_gateway: bool = True) -> Amazon:
    return Amazon(MEASURED, memory_mb, stored_gb=9, has_gateway=has_gateway)


def test_many_queries_are_warm_and_few_are_cold() -> None:
    assert cold_share(10_000_000) == pytest.approx(0, abs=1e-6)
    assert bill().query(10_000_000) == pytest.approx(0.020 * 2 * AmazonPrices.gb_second + 1.2e-6)
    assert cold_share(0) == 1
    assert bill().query(0) == pytest.approx(0.5 * 2 * AmazonPrices.gb_second + 1.2e-6)


def test_less_memory_slows_requests_but_not_the_start() -> None:
    each = bill(memory_mb=1769 // 2).query(0)
    assert each == pytest.approx(0.8 * (1769 // 2) / 1024 * AmazonPrices.gb_second + 1.2e-6, rel=1e-3)


def test_a_function_url_saves_the_price_of_the_gateway() -> None:
    assert bill().query(0) - bill(has_gateway=False).query(0) == pytest.approx(1e-6)


def test_an_idle_month_costs_storage_and_polling() -> None:
    assert bill().idle(callers=0) == pytest.approx(9 * 0.023)
    calls_a_month = 3 * 60 * 24 * 30
    assert bill().idle() - bill().idle(callers=0) == pytest.approx(2 * calls_a_month * 0.40 / 1e6)


def test_a_metric_is_billed_by_the_hour_with_data() -> None:
    assert bill().alarms(count=6, runs_a_day=24) == pytest.approx(0.60 + 0.30)
    assert bill().alarms(count=0, runs_a_day=6) == pytest.approx(0.30 / 4)


def test_a_snapshot_costs_by_memory_and_time() -> None:
    assert bill().snapshot() == pytest.approx(2 * MONTH_SECONDS * 0.0000015046)


def test_the_worst_month_ends_at_the_throttle_or_at_the_concurrency() -> None:
    core_second = 2 * AmazonPrices.gb_second
    requests = 50 * MONTH_SECONDS
    assert bill().worst(50, 20, 20) == pytest.approx(requests * (0.020 * core_second + 1.2e-6))
    assert bill().worst(50, 1000, 0) == pytest.approx(requests * (core_second + 1.2e-6))
    assert bill().worst(50, 1000, 20) == pytest.approx(20 * MONTH_SECONDS * (core_second + 1.2e-6))
    busy = bill(has_gateway=False).worst(math.inf, 20, 20)
    assert busy == pytest.approx(20 * MONTH_SECONDS * (core_second + 50 * 0.2e-6))


def test_google_bills_in_steps_and_has_a_most() -> None:
    google = Google(MEASURED, stored_gb=9)
    second = GooglePrices.cpu_second + GooglePrices.gib_second
    assert google.query(10_000_000) == pytest.approx(0.1 * second + 0.4e-6), "20 ms are a tenth of a second"
    assert google.query(0) == pytest.approx(0.5 * second + 0.4e-6)
    assert google.worst(10) == pytest.approx(10 * MONTH_SECONDS * second)
    assert google.month(0) == google.idle() == pytest.approx(9 * 0.020 + 0.10)


@pytest.fixture(scope="module")
def command() -> list[str]:
    """The arguments of the command that the document names."""
    [line] = re.findall(r"^    python scripts/costs\.py (.*)$", DOCUMENT, re.MULTILINE)
    return shlex.split(line)


def test_the_document_shows_what_the_command_prints(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    _, *tables = capsys.readouterr().out.split("\n\n")
    assert len(tables) == 5
    flat = " ".join(DOCUMENT.split())
    for table in tables:
        assert " ".join(table.split()) in flat, table


def test_the_targets_are_met(command: list[str]) -> None:
    """The bill is a feature; what raises it above these has to say so here."""
    measured = Measured(*map(float, command[1:6]))
    gateway = Amazon(measured, 1769, 9)
    url = dataclasses.replace(gateway, has_gateway=False)
    assert gateway.idle() <= 0.50
    assert gateway.idle(callers=0) <= 0.21
    assert gateway.month(1_000_000) <= 2.10
    assert url.month(1_000_000) <= 1.10
    assert gateway.month(5_000_000) < SERVER_MONTH


@pytest.mark.slow
def test_the_tables_follow_from_a_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "2000"]) == 0
    measured, _, month, *_ = capsys.readouterr().out.split("\n\n")
    assert measured.startswith("2,000 photos: start ")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in month.splitlines()[2:]]
    assert [row[0] for row in rows] == ["none", "1,000", "100,000", "1,000,000"]
    for column in (-3, -2, -1):
        dollars = [float(row[column]) for row in rows]
        assert dollars == sorted(dollars)


def test_a_function_with_too_little_memory_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--memory", "128", "--measured", "200", "300", "20", "1000", "250"])
    assert "250 MB" in capsys.readouterr().err

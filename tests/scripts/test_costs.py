"""The cost table: its arithmetic, and the measurement behind it with a small gallery."""

import pytest

from scripts.costs import Measured, Prices, idle_dollars, main, query_dollars

MEASURED = Measured(start_ms=200, first_ms=300, warm_ms=20, memory_mb=250)


def test_many_queries_are_warm_and_few_are_cold():
    warm, none_cold = query_dollars(MEASURED, Prices(), 2048, 10_000_000)
    assert none_cold == pytest.approx(0, abs=1e-6)
    assert warm == pytest.approx(0.020 * 2 * Prices.gb_second + 1.2e-6)
    cold, all_cold = query_dollars(MEASURED, Prices(), 2048, 0)
    assert all_cold == 1
    assert cold == pytest.approx(0.5 * 2 * Prices.gb_second + 1.2e-6)


def test_less_memory_slows_requests_but_not_the_start():
    cold, _ = query_dollars(MEASURED, Prices(), 1769 // 2, 0)
    assert cold == pytest.approx(0.8 * (1769 // 2) / 1024 * Prices.gb_second + 1.2e-6, rel=1e-3)


def test_an_idle_month_costs_storage_and_alarms():
    assert idle_dollars(Prices(stored_gb=1.0, watching_month=0.5, million_queue_calls=0), 3) == 3.5


@pytest.mark.slow
def test_the_table_follows_from_a_measurement(capsys: pytest.CaptureFixture[str]):
    assert main(["--rows", "2000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2,000 photos: start ")
    assert [line.split()[0] for line in lines[3:7]] == ["0", "1,000", "100,000", "1,000,000"]
    dollars = [float(line.split()[-1]) for line in lines[3:7]]
    assert dollars == sorted(dollars)


def test_a_function_with_too_little_memory_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scripts.costs.measure", lambda rows: MEASURED)
    with pytest.raises(SystemExit):
        main(["--memory", "128"])
    assert "250 MB" in capsys.readouterr().err

"""The benchmark runs, and its figures are plausible."""

import json
from pathlib import Path

import pytest

from scripts import benchmark
from scripts.benchmarks.results import Result, paired, table


def test_medians_spread_and_targets() -> None:
    result = Result("Times")
    assert result.add("a step", "ms", [5.0, 1.0, 2.0, 3.0, 4.0]) == 3.0
    assert result.add("once", "ms", [7.0]) == 7.0
    result.at_most("small", 1.2, 1.3)
    result.at_least("large", 0.7, 0.8)
    result.notes.append("left out")
    step, once = result.figures
    assert (step.median, step.low, step.high, step.repeats) == (3.0, 1.5, 4.5, 5)
    assert (once.low, once.high) == (7.0, 7.0)
    assert [target["met"] for target in result.to_dict()["targets"]] == [True, False]
    lines = table(result).splitlines()
    assert lines[0] == "Times"
    assert lines[1].split() == ["a", "step", "3.00", "ms", "1.500", "-", "4.50"]
    assert lines[3].endswith("met")
    assert lines[4].endswith("MISSED")
    assert lines[5] == "  (left out)"


def test_ratios_are_of_what_was_measured_side_by_side() -> None:
    assert paired([2.0, 20.0], [1.0, 10.0]) == [2.0, 2.0]


@pytest.mark.slow
@pytest.mark.alone
def test_a_quick_run_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["cold_start", "warm_query", "large_photo", "search", "products", "memory", "growth"]
    arguments = ["--quick", "--installed", "--rows", "500", "--work", str(tmp_path / "work"), "--only", *names]
    written, plot = tmp_path / "bench.json", tmp_path / "growth.png"
    assert benchmark.main([*arguments, "--json", str(written), "--plot", str(plot)]) == 0
    printed = capsys.readouterr().out
    results = json.loads(written.read_text())["results"]
    assert list(results) == names
    for result in results.values():
        assert result["title"] in printed
        assert all(0 < each["low"] <= each["median"] <= each["high"] for each in result["figures"])
    cold = {each["name"]: each["median"] for each in results["cold_start"]["figures"]}
    assert cold["floor: bare calls, local files"] < cold["naive LiteRT and boto3"]
    assert plot.read_bytes().startswith(b"\x89PNG")

"""The benchmark runs, and its figures are plausible."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import benchmark, performance_tables
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.busy import MOST_OTHERS, Usage, is_busy, others_share
from scripts.benchmarks.child_processes import ChildError
from scripts.benchmarks.document import with_tables
from scripts.benchmarks.growth_plot import draw_growth
from scripts.benchmarks.results import Result, listing, paired
from scripts.benchmarks.summary import read_results, summary, write_results


def times(title: str, *values: float, others: float = 0.0) -> Result:
    """Results with one figure and its target."""
    result = Result(title, circumstances={"on": "1 May 2026", "machine": "this"}, others=others)
    floor = result.add("floor", "ms", [2.0])
    ours = result.add("ours", "ms", values)
    result.at_most(f"{title}, ms", ours, 3.5, ours=ours, floor=floor)
    return result


def test_medians_spread_and_targets() -> None:
    result = Result("Times")
    step = result.add("a step", "ms", [5.0, 1.0, 2.0, 3.0, 4.0])
    once = result.add("once", "ms", [7.00004])
    result.at_most("small", step, 3)
    result.at_least("large", 0.7, 0.8)
    result.notes.append("left out")
    assert result.figures == [step, once]
    assert (step.median, step.low, step.high, step.repeats) == (3.0, 1.5, 4.5, 5)
    assert (once.low, once.median, once.high) == (7.0, 7.0, 7.0)
    assert [target.met for target in result.targets] == [True, False]
    lines = listing(result).splitlines()
    assert lines[0] == "Times"
    assert lines[1].split() == ["a", "step", "3.00", "ms", "1.500", "to", "4.50"]
    assert lines[3] == "  (left out)"


def test_ratios_are_of_what_was_measured_side_by_side() -> None:
    assert paired([2.0, 20.0], [1.0, 10.0]) == [2.0, 2.0]


def test_results_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    results = {"one": times("one", 1, 2, 3), "other": Result("other")}
    write_results(tmp_path / "results.json", results)
    assert read_results(tmp_path / "results.json") == results


def test_one_table_compares_everything() -> None:
    now = {"one": times("one", 1, 1, 1), "two": times("two", 4, 5, 6), "three": times("three", 1, 2, 3, others=0.3)}
    last = {"one": times("one", 2, 2, 2), "two": times("two", 1, 1, 2)}
    head, *rows, missed, busy = summary(now, last).splitlines()
    assert head.split() == ["ours", "floor", "peer", "figure", "middle", "half", "limit", "last", "release"]
    assert " ".join(rows[0].split()) == "one, ms 1.000 ms 2.00 ms 1.000 1.000 to 1.000 <= 3.5 met 2.00 better"
    assert " ".join(rows[1].split()) == "two, ms 5.00 ms 2.00 ms 5.00 4.00 to 6.00 <= 3.5 MISSED 1.000 worse"
    assert rows[2].split()[-2:] == ["met", "new"]
    assert missed == "missed: two, ms"
    assert busy.startswith("BUSY, not to be quoted")
    assert busy.endswith("three (30%)")
    within = summary({"one": times("one", 1, 2, 3)}, {"one": times("one", 2, 3, 4)}).splitlines()
    assert within[1].endswith("3.00")
    assert within[2] == "all targets met"


def test_time_of_other_programs_makes_a_measurement_busy() -> None:
    before = Usage(total=100, busy=40, own=10)
    assert others_share(before, Usage(total=200, busy=90, own=58)) == pytest.approx(0.02)
    assert others_share(before, Usage(total=200, busy=90, own=40)) == pytest.approx(0.2)
    assert others_share(before, Usage(total=200, busy=90, own=61)) == 0  # the two clocks differ a little
    assert others_share(before, None) is others_share(before, before) is None
    assert is_busy(2 * MOST_OTHERS)
    assert not is_busy(MOST_OTHERS / 2)
    assert not is_busy(None)


DOCUMENT = "# Title\n\n<!-- table: {name} -->\nold\n<!-- end -->\n\nText.\n"


def tables(name: str, result: Result) -> list[str]:
    lines = with_tables(DOCUMENT.format(name=name), {"it": result}).splitlines()
    assert lines[:4] == ["# Title", "", f"<!-- table: {name} -->", ""]
    assert lines[-4:] == ["", "<!-- end -->", "", "Text."]
    return lines[4:-4]


def test_a_document_has_the_figures_in_its_tables() -> None:
    assert tables("it", times("one", 1, 2, 3)) == [
        "|  | unit | median (middle half) |",
        "| --- | --- | --- |",
        "| floor | ms | 2.00 |",
        "| ours | ms | 2.00 (1.000 to 3.00) |",
    ]
    assert tables("targets", times("one", 4))[2] == "| one, ms | 4.00 ms | 2.00 ms | at most 3.5 | 4.00 (missed) |"
    assert tables("circumstances", times("one", 4))[2] == "| it | 1 May 2026 | this |"


def test_figures_named_row_and_column_make_a_table_of_both() -> None:
    result = Result("Growth")
    for name, unit, value in (("10 rows: cold", "ms", 20), ("10 rows: ratio", "", 2), ("20 rows: cold", "ms", 30)):
        result.add(name, unit, [value])
    assert tables("it", result) == [
        "|  | cold, ms | ratio |",
        "| --- | --- | --- |",
        "| 10 rows | 20.0 | 2.00 |",
        "| 20 rows | 30.0 |  |",
    ]


def test_only_quiet_results_reach_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released, document, new = tmp_path / "performance.json", tmp_path / "performance.md", tmp_path / "bench.json"
    monkeypatch.setattr(performance_tables, "RELEASED", released)
    monkeypatch.setattr(performance_tables, "DOCUMENT", document)
    write_results(released, {"one": times("one", 1), "two": times("two", 2)})
    write_results(new, {"one": times("one", 10, others=0.5), "two": times("two", 20), "three": times("three", 30)})
    document.write_text(DOCUMENT.format(name="targets"))
    assert performance_tables.main([str(new)]) == 0
    assert "not taken over: one, during which other programs took 50% of the processors" in capsys.readouterr().out
    after = read_results(released)
    assert {name: result.figures[1].median for name, result in after.items()} == {"one": 1, "two": 20, "three": 30}
    assert document.read_text() == with_tables(DOCUMENT.format(name="targets"), after)


def test_one_failure_does_not_lose_the_other_measurements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measurement(name: str) -> SimpleNamespace:
        def measure(bench: Bench) -> Result:
            if name.endswith("search"):
                raise ChildError("searching.py ended with 1")
            return times("cold", 1, 2, 3)

        return SimpleNamespace(measure=measure)

    monkeypatch.setattr(benchmark, "import_module", measurement)
    written = tmp_path / "bench.json"
    arguments = ["--only", "search", "cold_start", "--work", str(tmp_path / "work"), "--json", str(written)]
    assert benchmark.main(arguments) == 1
    said = capsys.readouterr()
    assert said.err == "error: search: searching.py ended with 1\n"
    assert "cold, ms" in said.out
    [(name, result)] = read_results(written).items()
    assert name == "cold_start"
    assert result.others is None or 0 <= result.others <= 1
    assert set(result.circumstances) == {"on", "machine", "model", "photos"}


@pytest.mark.slow
@pytest.mark.alone
def test_a_quick_run_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["cold_start", "warm_query", "large_photo", "search", "products", "memory", "growth"]
    arguments = ["--quick", "--installed", "--rows", "500", "--work", str(tmp_path / "work"), "--only", *names]
    written = tmp_path / "bench.json"
    assert benchmark.main([*arguments, "--json", str(written)]) == 0
    printed = capsys.readouterr().out
    results = read_results(written)
    assert list(results) == names
    for result in results.values():
        assert result.title in printed
        assert all(target.name in printed for target in result.targets)
        assert all(0 < each.low <= each.median <= each.high for each in result.figures)
    cold = {each.name: each.median for each in results["cold_start"].figures}
    assert cold["floor (bare calls, local files): answer"] < cold["naive LiteRT and boto3: answer"]
    draw_growth(results["growth"], tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")

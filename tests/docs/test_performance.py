"""docs/performance.md says what docs/performance.json holds."""

from scripts.benchmarks.busy import is_busy
from scripts.benchmarks.document import with_tables
from scripts.benchmarks.summary import RELEASED, read_results

DOCUMENT = RELEASED.with_suffix(".md")


def test_the_tables_are_those_of_the_results() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_tables(text, read_results(RELEASED)), "run scripts/performance_tables.py"


def test_every_result_has_its_table_and_none_is_of_a_busy_machine() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, result in read_results(RELEASED).items():
        assert f"<!-- table: {name} -->" in text
        assert not is_busy(result.others)

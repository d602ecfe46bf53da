"""What fuzzing found worth keeping, in every run of the tests; the fuzzer itself is started by hand."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("target", TARGETS)
def test_every_input_of_the_corpus_holds(target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert len(inputs) > 15
    for path in inputs:
        try:
            TARGETS[target](path.read_bytes())
        except Exception as error:
            error.add_note(f"the input is {path.name}")
            raise


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 100_000

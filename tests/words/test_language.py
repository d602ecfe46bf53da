"""The table of words."""

import pytest

from embeddings.products.vocabulary import words
from embeddings.words.language import english, read_language


def test_a_text_is_split_as_phrases_are() -> None:
    assert words("Men\u2019s T-Shirts, v_neck!") == ["mens", "t", "shirts", "v", "neck"]


@pytest.mark.parametrize(
    ("phrase", "attribute", "values"),
    [
        ("t shirt", "kind", ("tshirts",)),
        ("tees", "kind", ("tshirts",)),
        ("watches", "kind", ("watches",)),
        ("dresses", "kind", ("dresses",)),
        ("trousers", "kind", ("trousers",)),
        ("pants", "kind", ("trousers",)),
        ("scarves", "kind", ("mufflers", "scarves", "stoles")),
        ("ladies", "gender", ("women",)),
        ("gray", "colour", ("grey",)),
        ("navy blue", "colour", ("navy blue",)),
        ("stripes", "words", ("striped",)),
        ("roll neck", "words", ("turtle neck",)),
    ],
)
def test_english_knows_synonyms_and_plurals(phrase: str, attribute: str, values: tuple[str, ...]) -> None:
    meaning = english().meaning(phrase.split())
    assert meaning is not None
    assert meaning[attribute] == values


def test_a_word_may_mean_several_things() -> None:
    meaning = english().meaning(["polo", "shirt"])
    assert meaning is not None
    assert set(meaning) == {"kind", "words"}
    assert english().meaning(["zebra"]) is None


def test_no_word_is_both_ignored_and_meant() -> None:
    table = english()
    single = {phrase[0] for phrase in table.meanings if len(phrase) == 1}
    assert not single & (table.ignored | table.negations | table.conjunctions)


def test_another_language_is_another_table() -> None:
    german = read_language("""
        not = ["ohne", "nicht", "kein"]
        or = ["oder", "und"]
        ignored = ["ein", "in"]
        [colour]
        "blue" = ["blau", "blaue"]
        [kind]
        "shirts" = ["hemd", "hemden"]
    """)
    assert german.meaning(["blaue"]) == {"colour": ("blue",)}
    assert german.meaning(["hemden"]) == {"kind": ("shirts",)}

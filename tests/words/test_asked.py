"""What a text asks for, and where that is in the vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.sight import NO_PART, Attribute, Sight
from embeddings.words.asked import Asked, understand
from embeddings.words.language import english, read_language

VALUES = {
    "kind": ("casual shoes", "formal shoes", "heels", "shirts"),
    "gender": ("men", "women"),
    "colour": ("blue", "navy blue", "red"),
    "words": ("check", "striped"),
}
COUNT = sum(map(len, VALUES.values()))
SIGHT = Sight(
    tuple(
        Attribute(name, values, (0.5,) * len(values), np.full(COUNT, NO_PART, np.uint16))
        for name, values in VALUES.items()
    ),
    np.eye(COUNT, dtype=np.float32),
)


def told(asked: Asked) -> list[str]:
    return [("" if wish.wanted else "-") + "/".join(wish.values) for wish in asked.wishes]


@pytest.mark.parametrize(
    ("text", "meant", "named"),
    [
        ("red checked shirt", ["red", "check", "shirts"], []),
        ("shirt, checked & RED", ["shirts", "check", "red"], []),
        ("the same in navy blue", ["navy blue"], []),
        ("blue, not navy", ["blue", "-navy blue"], []),
        ("without stripes or checks but blue", ["-striped", "-check", "blue"], []),
        ("no stripes and in blue", ["-striped", "blue"], []),
        ("not in blue", ["-blue"], []),
        ("blue and red", ["blue", "red"], []),
        ("shoes for women", ["casual shoes/formal shoes/heels", "women"], []),
        ("mens shirts nike zebra", ["men", "shirts"], ["nike", "zebra"]),
        ("not nike shirts", ["shirts"], ["-nike"]),
        ("not nike or puma", [], ["-nike", "-puma"]),
        ("belts", [], ["belts"]),
        ("not", [], []),
        ("", [], []),
    ],
)
def test_texts_are_understood(text: str, meant: list[str], named: list[str]) -> None:
    asked = understand(text, SIGHT)
    assert told(asked) == meant
    assert [("" if name.wanted else "-") + name.word for name in asked.names] == named


def test_words_alone_are_a_direction() -> None:
    vector = understand("red striped shirt, not for men", SIGHT).vector(SIGHT)
    assert np.linalg.norm(vector) == pytest.approx(1)
    wanted = [SIGHT.places[name] for name in (("colour", "red"), ("words", "striped"), ("kind", "shirts"))]
    assert vector[wanted] == pytest.approx([0.5] * 3)
    assert vector[SIGHT.places["gender", "men"]] == pytest.approx(-0.5)
    assert not understand("zebra", SIGHT).vector(SIGHT).any()


def test_any_of_several_kinds_counts_as_one() -> None:
    vector = understand("red shoes", SIGHT).vector(SIGHT)
    assert vector[SIGHT.places["colour", "red"]] == pytest.approx(np.sqrt(0.5))


def test_words_move_a_photo_towards_what_they_name() -> None:
    photo = np.zeros(COUNT, np.float32)
    photo[SIGHT.places["kind", "shirts"]] = 1
    blue = SIGHT.places["colour", "blue"]
    towards, away = (understand(text, SIGHT).vector(SIGHT, photo) for text in ("in blue", "not blue"))
    assert np.linalg.norm(towards) == pytest.approx(1)
    assert towards[blue] == pytest.approx(-away[blue])
    assert towards[blue] > 0.5
    assert towards @ photo > 0.7, "the rest stays"
    assert understand("zebra", SIGHT).vector(SIGHT, photo) == pytest.approx(photo)


def test_another_language_is_read_with_its_own_table() -> None:
    german = read_language('not = ["ohne"]\nor = ["oder"]\nignored = []\n[words]\n"striped" = ["streifen"]')
    assert told(understand("ohne Streifen", SIGHT, german)) == ["-striped"]


@given(st.lists(st.sampled_from(["not", "or", "and", "blue", "navy", "shirt", "in", "zebra", "-", "\u00e9", "'"])))
def test_any_text_is_read(words: list[str]) -> None:
    asked = understand(" ".join(words), SIGHT, english())
    assert all(wish.values for wish in asked.wishes)
    assert np.isfinite(asked.vector(SIGHT)).all()

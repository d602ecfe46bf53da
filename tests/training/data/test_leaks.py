"""What is left out of training because validation or test shows it."""

from typing import Any

import pytest

from embeddings.training.data.leaks import without_leaks
from embeddings.training.data.photos import LabelledPhoto

MEASURED = {"part": "test", "title": "Puma Men Black Polo", "colour": "Black"}


def photo(**fields: Any) -> LabelledPhoto:
    said = {"file": "f", "domain": "shop", "category": "t-shirt", "type": "Tshirts", "gender": "", "colour": ""}
    return LabelledPhoto(**{**said, "sender": "", "item": "f", "part": "train", **fields})


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize(
    ("title", "colour", "kept"),
    [
        ("Puma Men Black Polo", "Black", False),
        ("puma  Men Black POLO ", "black", False),
        ("Puma Men Black Polo", "White", True),
        ("Puma Women Black Polo", "Black", True),
    ],
)
def test_a_small_photo_of_a_measured_product_is_left_out(part: str, title: str, colour: str, kept: bool):
    measured, small = photo(**{**MEASURED, "part": part}), photo(small=True, title=title, colour=colour)
    other = photo(small=True, title="Other", colour="Black")
    assert without_leaks([small, measured, other]) == [*([small] if kept else []), measured, other]


def test_missing_titles_do_not_match():
    measured, small = photo(part="test", title="", colour="Black"), photo(small=True, title="", colour="Black")
    assert without_leaks([measured, small]) == [measured, small]


def test_a_product_of_the_training_part_keeps_its_small_photos():
    photos = [photo(title="Polo"), photo(small=True, title="Polo")]
    assert without_leaks(photos) == photos


def test_a_large_photo_stays_in_training_whatever_its_title():
    photos = [photo(**MEASURED), photo(**{**MEASURED, "part": "train"})]
    assert without_leaks(photos) == photos


def test_an_unlabelled_photo_of_a_measured_sender_is_left_out():
    measured = photo(domain="consumer", sender="7", part="validation")
    same = photo(domain="consumer", category="", type="", sender="7")
    other = photo(domain="consumer", category="", type="", sender="8")
    unknown = photo(domain="consumer", category="", type="")
    assert without_leaks([measured, same, other, unknown]) == [measured, other, unknown]

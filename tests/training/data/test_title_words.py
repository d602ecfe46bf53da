import pytest

from embeddings.training.data.title_words import LOOKS, look_words


@pytest.mark.parametrize(
    ("title", "looks"),
    [
        ("Puma Men Striped Black Polo T-shirt", {"striped", "polo"}),
        ("Gini and Jony Boys Checks Blue Shirt", {"check"}),
        ("Lino Perros Women Leatherette Handbag", {"leather"}),
        ("Nike Men Black Shoes", set()),
        ("", set()),
    ],
)
def test_a_title_names_looks_however_it_spells_them(title: str, looks: set[str]):
    assert look_words(title) == looks


def test_no_word_stands_for_two_looks():
    words = [word for spellings in LOOKS.values() for word in spellings]
    assert len(words) == len(set(words))

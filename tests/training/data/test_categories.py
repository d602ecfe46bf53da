import pytest

from embeddings.training.data.categories import CATEGORIES, joint_category


def test_a_word_means_the_same_in_both_domains():
    assert joint_category("shop", "Jeans") == joint_category("consumer", "Pants") == "trousers"
    assert joint_category("shop", "Heels") == joint_category("consumer", "Shoes") == "shoes"


def test_no_word_is_in_two_rows():
    for column in (0, 1):
        rows = filter(None, (vocabularies[column] for vocabularies in CATEGORIES.values()))
        words = ", ".join(rows).split(", ")
        assert len(words) == len(set(words))


def test_an_unknown_word_is_named_with_what_to_do():
    with pytest.raises(KeyError, match=r"'Toga' \(shop\).*CATEGORIES"):
        joint_category("shop", "Toga")
    with pytest.raises(KeyError):
        joint_category("consumer", "Jeans")

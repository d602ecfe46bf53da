"""The normal form of keys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import StorageError
from embeddings.storage.keys import checked, key_problem

MESSY_TEXT = st.text(st.one_of(st.sampled_from("/. a\n"), st.characters()), max_size=12)


@pytest.mark.parametrize(
    "key",
    ["a", "a/b.jpg", "...", "a/.b", "a b+c%2F", "#?&=", "ä/ß", "\U0001f457", "x" * 1024, "é" * 512, "\xa0", "~"],
)
def test_good_keys(key: str) -> None:
    assert key_problem(key) is None
    assert checked(key) == key


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "empty"),
        ("/a", "starts with a slash"),
        ("a/", "ends with a slash"),
        ("/", "slash"),
        ("a//b", "''"),
        (".", "'.'"),
        ("a/./b", "'.'"),
        ("../a", "'..'"),
        ("a/..", "'..'"),
        ("a\nb", "control"),
        ("a\x00", "control"),
        ("a\x7f", "control"),
        ("a\x85", "control"),
        ("\ud800", "Unicode"),
        ("x" * 1025, "1024"),
        ("é" * 513, "1024"),
    ],
)
def test_bad_keys_have_a_reason(key: str, reason: str) -> None:
    problem = key_problem(key)
    assert problem is not None
    assert reason in problem
    with pytest.raises(StorageError, match=re.escape(problem)):
        checked(key)


@given(MESSY_TEXT)
def test_a_good_key_survives_splitting_and_folding(key: str) -> None:
    if key_problem(key) is None:
        assert all(segment not in ("", ".", "..") for segment in key.split("/"))
        assert key.encode().decode() == key
        assert key.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in key)

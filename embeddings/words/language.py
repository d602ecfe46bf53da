"""The words of a language for what a model sees, read from a table such as `en.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from embeddings.products.vocabulary import words

Phrase = tuple[str, ...]
Meaning = Mapping[str, tuple[str, ...]]
"""By attribute the values that a phrase means, any of them."""

_ATTRIBUTES = ("kind", "gender", "colour", "words")
_PLURALS = (("ies", "y"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Language:
    """One language's table."""

    meanings: Mapping[Phrase, Meaning]
    negations: frozenset[str]
    """They say that what follows is not wanted."""
    conjunctions: frozenset[str]
    """After something that is not wanted they say that the next is not wanted either."""
    ignored: frozenset[str]
    longest: int
    """The most words in a phrase."""

    def meaning(self, phrase: Sequence[str]) -> Meaning | None:
        """Return what a phrase means, in singular or plural; None if nothing."""
        return next((self.meanings[form] for form in _forms(tuple(phrase)) if form in self.meanings), None)


@cache
def english() -> Language:
    """Read the English table, once."""
    return read_language((Path(__file__).parent / "en.toml").read_text(encoding="utf-8"))


def read_language(table: str) -> Language:
    """Read a table in TOML."""
    content = tomllib.loads(table)
    meanings: dict[Phrase, dict[str, tuple[str, ...]]] = {}
    for attribute in _ATTRIBUTES:
        for value, phrases in content.get(attribute, {}).items():
            for phrase in dict.fromkeys((tuple(words(value)), *map(tuple, map(words, phrases)))):
                meant = meanings.setdefault(phrase, {})
                meant[attribute] = (*meant.get(attribute, ()), value)
    return Language(
        meanings,
        frozenset(content["not"]),
        frozenset(content["or"]),
        frozenset(content["ignored"]),
        max(map(len, meanings)),
    )


def _forms(phrase: Phrase) -> list[Phrase]:
    """Return the phrase, and what it may be the plural of."""
    *before, last = phrase
    singular = [last[: -len(end)] + instead for end, instead in _PLURALS if last.endswith(end) and len(last) > 3]
    return [phrase, *((*before, each) for each in singular)]

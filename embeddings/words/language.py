"""The words of a language for what a model sees, read from a table such as `en.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Phrase = tuple[str, ...]
Meaning = Mapping[str, tuple[str, ...]]
"""By attribute the values that a phrase means, any of them."""

_ATTRIBUTES = ("kind", "gender", "colour", "words")
_WORD = re.compile(r"[^\W_]+")
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


def split(text: str) -> list[str]:
    """Return the words of a text as they are compared: "Men's T-Shirts" is mens, t and shirts."""
    return _WORD.findall(re.sub("['\u2019]", "", text.casefold()))


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
            for phrase in dict.fromkeys((tuple(split(value)), *map(tuple, map(split, phrases)))):
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

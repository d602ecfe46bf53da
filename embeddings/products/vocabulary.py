"""The distinct texts of a column, sorted as filters compare them."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+")


_LETTERS = np.array([byte >= 128 or chr(byte).isalnum() for byte in range(256)])
"""Whether a byte of UTF-8 belongs to a word; those of all other scripts and signs are taken for letters."""


def fold(text: str) -> str:
    """Return the form in which filters compare texts: neither case, nor `_` for a space, nor more spaces matter."""
    return " ".join(text.casefold().replace("_", " ").split())


def words(text: str) -> list[str]:
    """Return the words of a text as searches compare them: "Men's T-Shirts" is mens, t and shirts."""
    return _WORD.findall(text.casefold().replace("'", "").replace("\u2019", ""))


class Vocabulary:
    """Distinct texts, sorted by `fold` and then by themselves. A text's code is its place.

    They stay encoded: most texts of a large vocabulary are never looked at.
    """

    def __init__(self, text: NDArray[np.uint8], offsets: NDArray[np.uint32]) -> None:
        """Take the texts in UTF-8, joined, and the n + 1 offsets where each begins and the last ends.

        Raises:
            ValueError: the offsets do not fit the text.
        """
        if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(text) or (offsets[1:] < offsets[:-1]).any():
            raise ValueError("the offsets of a text do not fit it")
        # A memoryview gives single items twice as fast as an array.
        self._text, self._offsets = text.data, offsets.data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, code: int) -> str:
        return str(self._text[self._offsets[code] : self._offsets[code + 1]], "utf-8", "replace")

    def codes(self, folded: str) -> range:
        """Return the codes of all spellings of a folded text."""
        first = end = bisect_left(self, folded, key=fold)
        while end < len(self) and fold(self[end]) == folded:
            end += 1
        return range(first, end)

    def containing(self, word: str) -> NDArray[np.intp]:
        """Return the codes of the texts that have this word, which is one of `words`."""
        content, offsets = self._lower, np.frombuffer(self._offsets, np.uint32)
        forms = {word, word.capitalize(), word.upper(), *([f"{word[:-1]}'s"] if word.endswith("s") else [])}
        codes = []
        for spelling in {form.encode().lower() for form in forms}:
            starts = np.flatnonzero(content[: max(len(content) - len(spelling) + 1, 0)] == spelling[0])
            for place, byte in enumerate(spelling[1:], 1):
                starts = starts[content[starts + place] == byte]
            texts = np.searchsorted(offsets, starts, side="right") - 1
            ends = starts + len(spelling)
            begins = (starts == offsets[texts]) | ~_LETTERS[content[starts - 1]]
            stops = (ends == offsets[texts + 1]) | ~_LETTERS[content[ends % len(content)]]
            codes.append(texts[begins & stops])
        return np.unique(np.concatenate(codes))

    @cached_property
    def _lower(self) -> NDArray[np.uint8]:
        return np.frombuffer(bytes(self._text).lower(), np.uint8)

    def code(self, text: str) -> int | None:
        """Return the code of exactly this text, or None if it is not there."""
        return next((code for code in self.codes(fold(text)) if self[code] == text), None)


def joined(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Return the arrays that `Vocabulary` takes."""
    encoded = [text.encode() for text in texts]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.uint32, len(encoded) + 1)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets

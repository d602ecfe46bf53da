"""The distinct texts of a column, sorted as filters compare them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Return the form in which filters compare texts: neither case, nor `_` for a space, nor more spaces matter."""
    return " ".join(text.casefold().replace("_", " ").split())


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

    def containing(self, word: str) -> set[int]:
        """Return the codes of the texts that have this word, which is in lower case."""
        content, found = self._lower, set[int]()
        for spelling in {word.encode(), word.capitalize().encode().lower(), word.upper().encode().lower()}:
            place = content.find(spelling)
            while place >= 0:
                code = bisect_right(self._offsets, place) - 1
                start, end = self._offsets[code], self._offsets[code + 1]
                if word in _WORD.findall(str(self._text[start:end], "utf-8", "replace").casefold()):
                    found.add(code)
                place = content.find(spelling, end)
        return found

    @cached_property
    def _lower(self) -> bytes:
        return bytes(self._text).lower()

    def code(self, text: str) -> int | None:
        """Return the code of exactly this text, or None if it is not there."""
        return next((code for code in self.codes(fold(text)) if self[code] == text), None)


def joined(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """Return the arrays that `Vocabulary` takes."""
    encoded = [text.encode() for text in texts]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.uint32, len(encoded) + 1)
    return np.frombuffer(b"".join(encoded), np.uint8), offsets

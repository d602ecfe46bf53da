"""The distinct texts of a column, sorted as filters compare them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


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
        self.text = text
        self.offsets = offsets

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """Sort texts and leave out repetitions."""
        encoded = [text.encode() for text in sorted(set(texts), key=lambda text: (fold(text), text))]
        offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.uint32, len(encoded) + 1)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, code: int) -> str:
        return self.text[self.offsets[code] : self.offsets[code + 1]].tobytes().decode(errors="replace")

    def codes(self, folded: str) -> range:
        """Return the codes of all spellings of a folded text."""
        return range(bisect_left(self, folded, key=fold), bisect_right(self, folded, key=fold))

    def code(self, text: str) -> int | None:
        """Return the code of exactly this text, or None if it is not there."""
        return next((code for code in self.codes(fold(text)) if self[code] == text), None)

    def respelled(self) -> list[int]:
        """List the codes of texts that are only another spelling of the one before."""
        folded = [fold(self[code]) for code in range(len(self))]
        return [code for code in range(1, len(self)) if folded[code] == folded[code - 1]]

"""The parameter `q`: a search in words, alone or with a photo."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.index.generation import Generation
from functions.search.problems import RequestError


class Words:
    """A text as a generation understands it."""

    def __init__(self, text: str, generation: Generation) -> None:
        """Read a text.

        Raises:
            RequestError: 400, it is too long, or the generation's model does not tell what it sees.
        """
        from embeddings.words.asked import MOST_CHARACTERS, understand  # only here: most requests have no words
        from embeddings.words.naming import look_up

        sight = generation.embedder.sight
        if sight is None:
            raise _wrong("The model of this index does not tell what it sees, so it cannot be asked in words.")
        if len(text) > MOST_CHARACTERS:
            raise _wrong(f"q must have at most {MOST_CHARACTERS} characters.")
        self._text, self._sight = text, sight
        self._asked = understand(text, sight)
        self._named = look_up(self._asked, generation.gallery)

    @property
    def empty(self) -> bool:
        """Whether no word of it means anything here."""
        return not (self._asked.wishes or self._named.conditions)

    def vector(self, photo: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return the vector to search by, starting from that of a photo if there is one."""
        return self._asked.vector(self._sight, photo)

    def narrowed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Add what titles and brands must have to the arguments of a search."""
        return {**options, "where": [*options["where"], *self._named.conditions]}

    def stated(self) -> dict[str, Any]:
        """Return what was understood, for the answer's `query`."""
        meant = [{**wish._asdict(), "values": list(wish.values)} for wish in self._asked.wishes]
        named = [name._asdict() for name in self._named.known]
        return {"q": self._text, "words": {"meant": meant, "named": named, "unknown": list(self._named.unknown)}}


def words_parameter(given: Mapping[str, str], generation: Generation) -> Words | None:
    """Read `q`; return None if it is not given.

    Raises:
        RequestError: 400.
    """
    text = " ".join(given.get("q", "").split())
    return Words(text, generation) if text else None


def _wrong(rule: str) -> RequestError:
    return RequestError(400, "parameter-invalid", "The parameter q is invalid", rule)

"""Words that a model does not know, looked up in the titles and brands of a gallery's products."""

from typing import NamedTuple

from embeddings.neighbours import SearchableGallery
from embeddings.products.where import Condition
from embeddings.words.asked import Asked, Name

MOST_NAMES = 5
"""How many words are looked up."""


class Named(NamedTuple):
    """The names of a text, as a gallery knows them."""

    conditions: tuple[Condition, ...]
    """What titles and brands must have, and must not."""
    known: tuple[Name, ...]
    unknown: tuple[str, ...]
    """Words that mean nothing here."""


def look_up(asked: Asked, gallery: SearchableGallery) -> Named:
    """Look up the names of a text."""
    conditions, known, unknown = list[Condition](), list[Name](), list[str]()
    for place, name in enumerate(asked.names):
        condition = gallery.named(name.word) if place < MOST_NAMES else None
        if condition is None:
            unknown.append(name.word)
        else:
            conditions.append(condition._replace(negated=not name.wanted))
            known.append(name)
    return Named(tuple(conditions), tuple(known), tuple(unknown))

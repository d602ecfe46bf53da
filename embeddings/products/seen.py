"""What a model is sure to see in a photo: columns beside a feed's."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self


class Seen(NamedTuple):
    """What a model is sure of; "" or nothing where it is not."""

    kind: str = ""
    """The type of garment, such as "shirts"."""
    gender: str = ""
    """Whom it is for, such as "women"."""
    colour: str = ""
    words: tuple[str, ...] = ()
    """Looks, such as "striped"."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Read what was stored by name; what is missing or None was not seen."""
        kind, gender, colour = (str(stored.get(name) or "") for name in cls._fields[:3])
        return cls(kind, gender, colour, tuple(map(str, stored.get("words") or ())))

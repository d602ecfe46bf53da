"""The card beside a model file: what it is, how it was made, and the checksum that ties the two together."""

import hashlib
import json
from pathlib import Path
from typing import Any

from embeddings.errors import ModelError


def card_path(model: Path) -> Path:
    """Where the card of a model file lies: the same name, `.json`."""
    return model.with_suffix(".json")


def read_card(model: Path, content: bytes) -> dict[str, Any] | None:
    """Read the card beside `model` and check that it speaks of this `content`; None where there is no card.

    Raises:
        ModelError: the card is not JSON, or its sha256 is another file's.
    """
    path = card_path(model)
    if not path.exists():
        return None
    try:
        card = json.loads(path.read_bytes())
        stated = card["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not a model card (JSON with a sha256): {error!r}") from error
    actual = hashlib.sha256(content).hexdigest()
    if stated != actual:
        raise ModelError(f"{path} is the card of another file (sha256 {stated}); {model} has {actual}")
    return dict(card)

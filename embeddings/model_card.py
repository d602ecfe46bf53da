"""The card beside a model file: what the model is, how it was made, and the checksum of the file."""

import hashlib
import json
from pathlib import Path
from typing import Any

from embeddings.errors import ModelError

SIGHT_MAGIC = b"SIGHT001"
"""The end of a model file that says what the model can tell of a photo, see `embeddings.sight`."""


def card_path(model: Path) -> Path:
    """Return the path of a model file's card: the same name with `.json`."""
    return model.with_suffix(".json")


def read_card(model: Path, content: bytes) -> dict[str, Any] | None:
    """Read the card beside `model` and check that it belongs to `content`; None if there is no card.

    Raises:
        ModelError: the card is not JSON, or gives the sha256 of another file.
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


def saw_everything(card: dict[str, Any] | None) -> bool:
    """Return whether the card's model was trained on every photo there was, those of its test part too."""
    return bool((card or {}).get("made", {}).get("everything", False))

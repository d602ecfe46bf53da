"""Processes that hang after some photos, so that a test can kill them in the middle of their work."""

import threading
from itertools import count
from typing import Any

from embeddings.embedder import Embedder
from embeddings.rebuild import checkpoint, pipeline


def hang_after(saved: int, grain: int) -> None:
    """Let this process save at least this many photos, `grain` to a checkpoint, and then embed no more."""
    checkpoint.GRAIN = grain
    embed, number = Embedder.describe, count(1)
    # Within the window, photos are embedded in any order. They are saved in theirs.
    most = saved + pipeline._WINDOW

    def embed_or_hang(self: Embedder, *arguments: Any, **options: Any) -> Any:
        if next(number) > most:
            threading.Event().wait()
        return embed(self, *arguments, **options)

    Embedder.describe = embed_or_hang  # type: ignore[method-assign]

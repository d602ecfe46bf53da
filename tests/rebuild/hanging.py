"""Processes that hang when they have embedded some photos, and wait to be killed."""

import threading
from itertools import count
from typing import Any

from embeddings.embedder import Embedder
from embeddings.rebuild import checkpoint, pipeline


def hang_after(saved: int, grain: int) -> None:
    """Let this process save checkpoints of this many photos at least, `grain` at a time, then embed no more."""
    checkpoint.GRAIN = grain
    embed, number = Embedder.embed, count(1)
    # Photos are embedded in any order within the window, and saved in order.
    most = saved + pipeline._WINDOW

    def embed_or_hang(self: Embedder, *arguments: Any, **options: Any) -> Any:
        if next(number) > most:
            threading.Event().wait()
        return embed(self, *arguments, **options)

    Embedder.embed = embed_or_hang  # type: ignore[method-assign]

"""How many pixels are decoded at once, over all threads: what bounds the memory of a process that decodes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Who does not fit in waits; in the order of coming, so that a large photo is not overtaken for ever."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._held = 0

    @contextmanager
    def hold(self, pixels: int, most: int) -> Iterator[None]:
        """Wait until `pixels` fit beside what is held, `most` in all, or nothing is held; hold them for the block."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + pixels <= most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify()

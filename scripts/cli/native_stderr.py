"""Keep the terminal free of what native libraries write to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_stderr_dropped() -> Iterator[None]:
    """Drop everything written to stderr within the block, which should be short.

    LiteRT announces its delegate when a process opens its first model, and no setting stops it.
    """
    stderr = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)

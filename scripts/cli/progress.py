"""The progress bar of commands that embed photos."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def embedding_progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal; yield the `progress` for `embeddings.rebuild.rebuild`."""
    with tqdm(unit="photo", desc="embedding", disable=None, smoothing=0.05) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress

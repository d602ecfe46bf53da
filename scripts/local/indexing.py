"""Bring the index of a folder up to date for the demo."""

from pathlib import Path

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.rebuild import Summary, rebuild
from scripts.cli.native_stderr import native_stderr_dropped
from scripts.cli.progress import embedding_progress


def index_photos(gallery: Path, index: Path) -> Summary:
    """Embed new and changed photos with the model of this checkout, whatever model the index has.

    Raises:
        GarmentSearchError: the rebuild failed; the index is unchanged.
    """
    with native_stderr_dropped():
        Embedder(BUNDLED_MODEL)  # the first of the process, which LiteRT announces
    with embedding_progress() as progress:
        return rebuild(str(gallery), str(index), model=BUNDLED_MODEL, progress=progress)

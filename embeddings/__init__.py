"""Photo -> vector -> neighbours: the library behind the functions and the scripts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embeddings.embedder import Embedder as Embedder

__all__ = ["Embedder"]


def __getattr__(name: str) -> Any:
    """Import `Embedder` on first use, so that `embeddings.storage` alone does not pay for LiteRT and Pillow."""
    if name == "Embedder":
        from embeddings.embedder import Embedder

        return Embedder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

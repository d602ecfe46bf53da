"""What a rebuild does not publish."""

from collections.abc import Mapping

from embeddings.errors import GalleryIndexError, StorageError
from embeddings.index.sources import Refusal
from embeddings.rebuild.pipeline import NOT_GIVEN


def refuse_emptied(before: int, after: int, refusals: Mapping[str, Refusal], *, may_empty: bool) -> None:
    """Look twice at an index without any image.

    Args:
        before: images in the index now.
        after: images it would have.
        refusals: of what was looked at.
        may_empty: whether there may be none in place of some.

    Raises:
        StorageError: it is storage that gave none. GalleryIndexError: it is empty, and must not become so.
    """
    if after:
        return
    if any(refusal.reason == NOT_GIVEN for refusal in refusals.values()):
        raise StorageError("storage gave none of the photos; the log says why")
    if before and not may_empty:
        raise GalleryIndexError(
            f"nothing of the {before} photos of the index is left in the gallery; if that is so, "
            "scripts/rebuild_embeddings.py publishes an empty index, and otherwise GALLERY_URI is wrong"
        )

"""The product feed in storage."""

from dataclasses import replace
from pathlib import Path

from embeddings.errors import FeedError
from embeddings.products.feed import MOST_BYTES, Feed, read_feed
from embeddings.storage.objects import Writer
from embeddings.storage.uri import StorageUri
from embeddings.storage.writers import open_writer

FEED_NAME = "feed.csv"
"""The feed at the gallery's root, and in any folder that is given in place of a file."""


class FeedFile:
    """One feed. Attempts of the same rebuild read it again only if it has changed."""

    def __init__(self, uri: str, gallery_uri: str, gallery: Writer) -> None:
        """Touch nothing yet.

        Args:
            uri: the feed's, or that of its folder; "" for the gallery's root.
            gallery_uri: the gallery's.
            gallery: its storage.

        Raises:
            StorageUriError: the address is not one.
        """
        self.name = uri or f"{FEED_NAME} of the gallery"
        folder, self._key = located(uri or f"{gallery_uri.rstrip('/')}/")
        self._folder = gallery
        if uri:
            self._folder = open_writer(str(folder))
        gallery_place = StorageUri.parse(gallery_uri)
        self.keys_in_gallery = {FEED_NAME}
        """Its key, if it lies in the gallery; and that of a feed at the root, which is no photo in any case."""
        if gallery_place.contains(folder):
            below = folder.prefix.removeprefix(gallery_place.prefix).strip("/")
            self.keys_in_gallery.add(f"{below}/{self._key}" if below else self._key)
        self._read: tuple[str, bytes, Feed] | None = None

    def etag(self) -> str:
        """Look it up. Raises NotFoundError, StorageError."""
        return self._folder.stat(self._key).etag

    def read(self, etag: str) -> tuple[bytes, Feed]:
        """Read it, unless its ETag is the one of the last time.

        Raises:
            FeedError: it is no feed. StorageError: storage failed.
        """
        if self._read is None or self._read[0] != etag:
            size = self._folder.stat(self._key).size
            if size > MOST_BYTES:
                raise FeedError(f"it has {size:,} bytes, the limit is {MOST_BYTES:,}")
            content = self._folder.get(self._key).data
            self._read = etag, content, read_feed(content)
        return self._read[1:]


def located(uri: str) -> tuple[StorageUri, str]:
    """Return the folder that a feed's address means, and the feed's key in it.

    Raises:
        StorageUriError: it is no address.
    """
    place = StorageUri.parse(uri)
    folder, _, name = place.prefix.rpartition("/")
    local = place.scheme == "file"
    if "." not in name or uri.endswith("/") or (local and Path(place.prefix).is_dir()):
        return place, FEED_NAME
    return replace(place, prefix=folder or ("/" if local else "")), name

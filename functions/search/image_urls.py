"""URLs of the gallery's images."""

from collections.abc import Sequence
from functools import cached_property
from urllib.parse import quote

from embeddings.storage.keys import checked
from embeddings.storage.reader import Reader, open_reader
from functions.settings import SearchSettings


class ImageUrls:
    """Makes public URLs under a base, or signed ones for a private gallery."""

    def __init__(self, settings: SearchSettings) -> None:
        self._settings = settings

    def of(self, keys: Sequence[str]) -> list[str]:
        """Return the URLs of `keys`, in the same order.

        Raises:
            StorageError: there are no credentials to sign with, or a key leads out of the gallery.
        """
        if self._settings.signed_url_seconds:
            return self._gallery.sign(keys, self._settings.signed_url_seconds)
        return [f"{self._settings.image_base_url}/{quote(checked(key), safe='/')}" for key in keys]

    @cached_property
    def _gallery(self) -> Reader:
        # Opened on first use: the server may still fork after the start, which the reader's threads would not survive.
        return open_reader(self._settings.gallery_uri)

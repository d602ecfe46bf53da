"""URLs of the gallery's images."""

import time
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

    def keeping(self, longest: int) -> tuple[int, str]:
        """Return how many seconds an answer with URLs may be kept, and a name that changes before they expire.

        A signed URL is kept for at most a quarter of its life, and an answer is found unchanged within one quarter: it
        is still valid for half of its life then.

        Args:
            longest: the seconds for an answer without URLs.
        """
        if not self._settings.signed_url_seconds:
            return longest, self._settings.image_base_url
        quarter = self._settings.signed_url_seconds / 4
        return min(longest, int(quarter)), f"signed in {time.time() // quarter:.0f}"

    @cached_property
    def _gallery(self) -> Reader:
        # Opened on first use: the server may still fork after the start, which the reader's threads would not survive.
        return open_reader(self._settings.gallery_uri)

"""Work that is done but not yet published, so that a rebuild that is killed does not begin again."""

import logging
import secrets
import time

from embeddings.errors import NotFoundError
from embeddings.index.sources import Refusal
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.rebuild.results import Results, Vector, from_bytes, to_bytes
from embeddings.storage.objects import Writer

GRAIN = 500
"""At most this many photos are embedded again after a kill,"""
GRAIN_SECONDS = 30.0
"""and at most so many seconds of work."""

_log = logging.getLogger(__name__)


class Checkpoint:
    """Results by key and ETag, for one model. What is added is written to storage grain by grain.

    Files of several rebuilds lie side by side under names of their own; all of them are read at the start.
    """

    def __init__(self, writer: Writer, model_sha256: str, folder: str = "", known: Results | None = None) -> None:
        """Read what earlier rebuilds with this model left.

        Args:
            writer: of the index.
            model_sha256: the model's.
            folder: of a shard, which shares no work; "" for the one that all other rebuilds with this model share.
            known: results that lie elsewhere.
        """
        self.model_sha256 = model_sha256
        self._writer = writer
        self._folder = folder or f"checkpoints/{model_sha256[:16]}-{PREPROCESS_VERSION}/"
        self._results: Results = {} if known is None else known
        self._unsaved: list[str] = []
        self._saved_at = time.monotonic()
        self._read_files: list[str] = []
        self._written_files: list[str] = []
        try:
            found = sorted(writer.list(self._folder), key=lambda each: each.modified)
        except NotFoundError:  # a folder that the first write will make
            found = []
        for each in found:
            self._read_files.append(each.key)
            self._read(each.key)

    def find(self, key: str, etag: str) -> Vector | Refusal | None:
        """The result for this content of this key, if there is one."""
        known_etag, result = self._results.get(key, ("", None))
        return result if known_etag == etag else None

    def add(self, key: str, etag: str, result: Vector | Refusal) -> None:
        """Remember a result; saves when a grain is full."""
        self._results[key] = (etag, result)
        self._unsaved.append(key)
        if len(self._unsaved) >= GRAIN or time.monotonic() - self._saved_at > GRAIN_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what was added since the last time.

        Raises:
            StorageError.
        """
        if not self._unsaved:
            return
        content = {key: self._results[key] for key in self._unsaved}
        path = f"{self._folder}{secrets.token_hex(8)}.npz"
        self._writer.put(path, to_bytes(content))
        self._written_files.append(path)
        self._unsaved, self._saved_at = [], time.monotonic()

    def delete(self, *, others: bool) -> None:
        """Delete the files that were written here, as their results are published.

        Args:
            others: those that were read too; so if the whole gallery was looked at, not if some keys were.
        """
        self._writer.delete(self._written_files + (self._read_files if others else []))
        self._read_files, self._written_files = [], []

    def _read(self, path: str) -> None:
        try:
            data = self._writer.get(path).data
        except NotFoundError:
            return  # another rebuild has published its results, and deleted it
        try:
            self._results.update(from_bytes(data)[0])
        except Exception as error:  # noqa: BLE001 - whatever damage leads numpy and zipfile to
            _log.warning("the checkpoint %s is damaged and left out: %r", path, error)

"""Results that wait to be published, kept in the index so that a rebuild that is killed does not start over."""

import json
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import Embedder
from embeddings.errors import NotFoundError
from embeddings.index.sources import Refusal
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.products.seen import Seen
from embeddings.storage.objects import Writer

GRAIN = 500
"""After a kill, at most this many photos are embedded again,"""
GRAIN_SECONDS = 30.0
"""and at most this much work is lost."""

Vector = NDArray[np.float16]


class Described(NamedTuple):
    """What a model says of a photo."""

    vector: Vector
    """(dimension,)."""
    seen: Seen = Seen()


Results = dict[str, tuple[str, Described | Refusal]]
"""By key: the content's ETag, and what the model says of it or the reason why it says nothing."""

_log = logging.getLogger(__name__)


class Checkpoint:
    """Results by key and ETag, for one model. Writes what is added to storage, one grain at a time.

    Several rebuilds may write side by side, each to files with names of its own. A new checkpoint reads all of them.
    """

    def __init__(self, index: Writer, embedder: Embedder, folder: str = "", known: Results | None = None) -> None:
        """Read what earlier rebuilds with this model left.

        Args:
            index: storage of the index.
            embedder: the model that makes the vectors.
            folder: a shard's own; "" for the folder that all other rebuilds with this model share.
            known: results from elsewhere.
        """
        self.model_sha256 = embedder.sha256
        self._dimension = embedder.dimension
        self._index = index
        self._folder = folder or f"checkpoints/{embedder.sha256[:16]}-{PREPROCESS_VERSION}/"
        self._results: Results = {} if known is None else known
        self._unsaved: list[str] = []
        self._saved_at = time.monotonic()
        self._read_files: list[str] = []
        self._written_files: list[str] = []
        try:
            found = sorted(index.list(self._folder), key=lambda each: each.modified)
        except NotFoundError:  # a local folder that the first write will make
            found = []
        for each in found:
            self._read_files.append(each.key)
            self._read(each.key)

    def find(self, key: str, etag: str) -> Described | Refusal | None:
        """Return the result for this content of this key, or None if there is none yet."""
        known_etag, result = self._results.get(key, ("", None))
        if known_etag != etag:
            return None
        # A vector of another length was filed under this model by mistake. It would fail every rebuild.
        strange = isinstance(result, Described) and result.vector.shape != (self._dimension,)
        return None if strange else result

    def add(self, key: str, etag: str, result: Described | Refusal) -> None:
        """Remember a result; save when a grain is full."""
        self._results[key] = (etag, result)
        self._unsaved.append(key)
        if len(self._unsaved) >= GRAIN or time.monotonic() - self._saved_at > GRAIN_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what was added since the last save.

        Raises:
            StorageError.
        """
        if not self._unsaved:
            return
        content = {key: self._results[key] for key in self._unsaved}
        path = f"{self._folder}{secrets.token_hex(8)}.npz"
        self._index.put(path, to_bytes(content))
        self._written_files.append(path)
        self._unsaved, self._saved_at = [], time.monotonic()

    def delete(self, *, others: bool) -> None:
        """Delete the files written here, once their results are published.

        Args:
            others: delete the files that were read, too. Right after a look at the whole gallery, wrong after a look
                at some keys: a larger rebuild may still need them.
        """
        self._index.delete(self._written_files + (self._read_files if others else []))
        self._read_files, self._written_files = [], []

    def _read(self, path: str) -> None:
        try:
            data = self._index.get(path).data
        except NotFoundError:
            return  # another rebuild published its results and deleted the file
        try:
            self._results.update(from_bytes(data)[0])
        except Exception as error:  # noqa: BLE001 - damage makes numpy and zipfile raise almost anything
            _log.warning("skipping the checkpoint %s, which is damaged: %r", path, error)


def to_bytes(results: Results, about: Mapping[str, object] | None = None) -> bytes:
    """Pack results into an .npz file, the format of checkpoints and of shards' parts.

    Args:
        results: to pack.
        about: whatever else the reader needs to know, as JSON.
    """
    described = {key: (etag, result) for key, (etag, result) in results.items() if not isinstance(result, Refusal)}
    seen = dict.fromkeys(result.seen for _, result in described.values())
    places = {each: place for place, each in enumerate(seen)}
    header = {
        "etags": {key: etag for key, (etag, _) in described.items()},
        "seen": [each._asdict() for each in seen],
        "failures": {
            key: [etag, asdict(result)] for key, (etag, result) in results.items() if isinstance(result, Refusal)
        },
        "about": dict(about or {}),
    }
    file = BytesIO()
    rows = [result.vector for _, result in described.values()]
    np.savez(
        file,
        header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        vectors=np.stack(rows) if rows else np.empty((0, 0), dtype=np.float16),
        seen=np.array([places[result.seen] for _, result in described.values()], dtype=np.min_scalar_type(len(seen))),
    )
    return file.getvalue()


def from_bytes(data: bytes) -> tuple[Results, dict[str, object]]:
    """Read what `to_bytes` packed: the results, and `about`.

    Raises:
        Exception: the data is damaged. The zip's own checksums find that, and numpy and zipfile raise many types.
    """
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        header = json.loads(stored["header"].tobytes())
        vectors: Vector = stored["vectors"]
        places = stored["seen"].tolist() if "seen" in stored else [0] * len(vectors)
    if vectors.dtype != np.float16 or vectors.ndim != 2:
        raise ValueError(f"{vectors.dtype} {vectors.shape} is not a matrix of float16")
    # An earlier version did not write what is seen.
    seen = [Seen.of(each) for each in header.get("seen", [{}])]
    results: Results = {
        key: (etag, Described(vector, seen[place]))
        for (key, etag), vector, place in zip(header["etags"].items(), vectors, places, strict=True)
    }
    for key, (etag, refusal) in header["failures"].items():
        results[key] = (etag, Refusal(**refusal))
    return results, header.get("about", {})

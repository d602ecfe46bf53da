"""The manifest of a generation. The pointer, `current.json`, is the manifest of the current one."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from embeddings.errors import CorruptIndexError
from embeddings.s3_vectors.address import VECTOR_BUCKET_NAME, VectorIndexName

POINTER = "current.json"
MOST_POINTER_BYTES = 1_000_000
"""A manifest has about two thousand. Anything larger is another file, and may not even fit into memory."""
FORMAT, VECTOR_INDEX_FORMAT = 1, 2
"""Without and with a vector index. A version that knows of no vector indexes refuses the second."""

VECTORS, KEYS, SOURCES = "vectors.npy", "keys.txt", "sources.json.gz"
FOLDERS = "folders.json"
"""Replaces vectors and keys if those lie in a vector index."""
PRODUCTS, FEED, HIDDEN = "products.safetensors", "feed.gz", "hidden.npy"
"""Only with a product feed: the columns that queries read; the feed as it was read last; and the vectors of photos that
the feed does not list, if those are to be hidden. Queries read the first alone."""

_OPTIONAL = (PRODUCTS, FEED, HIDDEN)
_MOST_BYTES = 100 * 2**30
"""The most that a file may claim to have. A larger claim is wrong, but would be fetched in millions of parts first."""
_GENERATION = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileEntry:
    """A file's checksum and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """One generation. All its vectors come from one model and one version of the preprocessing."""

    generation: str
    """Its id: the time to the microsecond, and eight random hex digits. Ids sort by age."""
    built_at: str
    """UTC, ISO 8601 with seconds."""
    count: int
    """Images: the rows of the matrix."""
    failed: int
    """Objects of the gallery that could not be embedded; `sources.json.gz` says why."""
    dimension: int
    dtype: str
    model: FileEntry
    preprocess: int
    """The `PREPROCESS_VERSION` that made the vectors."""
    files: Mapping[str, FileEntry]
    held: bool = False
    """After a rollback, rebuilds leave the pointer alone until it is released."""
    vector_index: VectorIndexName | None = None
    """Where the vectors lie, if not in a matrix."""

    def path(self, name: str) -> str:
        """Return the path of one of the generation's files in the index."""
        return f"{generation_folder(self.generation)}{name}"

    @property
    def model_path(self) -> str:
        """The path of its model in the index."""
        return f"models/{self.model.sha256}.tflite"

    def to_json(self) -> bytes:
        """Serialize it for storage."""
        number = FORMAT if self.vector_index is None else VECTOR_INDEX_FORMAT
        return json.dumps({"format": number, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, name: str = POINTER) -> "Manifest":
        """Read and check a stored manifest; `name` is its file, for error messages.

        Raises:
            CorruptIndexError: it is not JSON, has another format, or has impossible values.
        """
        try:
            if len(data) > MOST_POINTER_BYTES:
                raise ValueError(f"{len(data)} bytes")
            stored = json.loads(data)
            if stored["format"] not in (FORMAT, VECTOR_INDEX_FORMAT):
                raise CorruptIndexError(
                    f"{name} has format {stored['format']!r}, this version reads {FORMAT} and {VECTOR_INDEX_FORMAT}: "
                    "rebuild the index with the version that reads it"
                )
            vector_index = _vector_index(stored["vector_index"]) if stored["format"] == VECTOR_INDEX_FORMAT else None
            names = (VECTORS, KEYS, SOURCES) if vector_index is None else (FOLDERS, SOURCES)
            manifest = cls(
                generation=_matching(_GENERATION, stored["generation"]),
                built_at=datetime.fromisoformat(stored["built_at"]).isoformat(),
                count=_whole(stored["count"]),
                failed=_whole(stored["failed"]),
                dimension=_whole(stored["dimension"]),
                dtype=str(stored["dtype"]),
                model=_entry(stored["model"]),
                preprocess=_whole(stored["preprocess"]),
                files={
                    **{each: _entry(stored["files"][each]) for each in names},
                    **{each: _entry(stored["files"][each]) for each in _OPTIONAL if each in stored["files"]},
                },
                held=bool(stored["held"]),
                vector_index=vector_index,
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CorruptIndexError(f"{name} of the index is damaged ({error!r}); rebuild with --full") from error
        return manifest


def new_generation_id(now: datetime) -> str:
    """Make an id that sorts by age and that no other rebuild will choose."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}"


def generation_folder(generation: str) -> str:
    """Return the folder of a generation in the index."""
    return f"generations/{generation}/"


def _vector_index(stored: Any) -> VectorIndexName:
    return VectorIndexName(*(_matching(VECTOR_BUCKET_NAME, stored[each]) for each in ("bucket", "name")))


def _entry(stored: Any) -> FileEntry:
    entry = FileEntry(sha256=_matching(_SHA256, stored["sha256"]), size=_whole(stored["size"]))
    if entry.size > _MOST_BYTES:
        raise ValueError(f"no file has {entry.size} bytes")
    return entry


def _matching(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is not {pattern.pattern}")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value

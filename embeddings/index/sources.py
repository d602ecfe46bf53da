"""The gallery as the last rebuild saw it, for the next one to compare with. Queries never read it."""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from embeddings.errors import CorruptIndexError


@dataclass(frozen=True)
class Refusal:
    """The reason why an object of the gallery has no vector."""

    etag: str
    """The ETag of the content that cannot be indexed; "" if another try may help although nothing has changed."""
    reason: str

    @property
    def passing(self) -> bool:
        """Whether the next rebuild tries the object again."""
        return not self.etag


@dataclass(frozen=True)
class Sources:
    """ETags of the indexed images and refusals of the others, by key."""

    etags: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Serialize for storage. Equal sources give equal bytes."""
        content = {
            "etags": dict(sorted(self.etags.items())),
            "failures": {key: asdict(refusal) for key, refusal in sorted(self.refusals.items())},
        }
        return gzip.compress(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode(), 6, mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> "Sources":
        """Read what `to_bytes` wrote; `name` is the file, for error messages.

        Raises:
            CorruptIndexError.
        """
        try:
            content = json.loads(gzip.decompress(data))
            refusals = {
                key: Refusal(str(each["etag"]), str(each["reason"])) for key, each in content["failures"].items()
            }
            return cls({str(key): str(etag) for key, etag in content["etags"].items()}, refusals)
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            zlib.error,
        ) as error:
            raise CorruptIndexError(f"{name} of the index is damaged ({error!r}); rebuild with --full") from error

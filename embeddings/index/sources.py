"""What a rebuild must know of the gallery as the last one saw it. Queries never read it."""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from embeddings.errors import CorruptIndexError


@dataclass(frozen=True)
class Refusal:
    """An object of the gallery without a vector, and why."""

    etag: str
    """Of the content that cannot be read; "" if trying again may help although nothing changed."""
    reason: str

    @property
    def passing(self) -> bool:
        """Whether the next rebuild tries again."""
        return not self.etag


@dataclass(frozen=True)
class Sources:
    """ETags of the indexed images, and the refusals, by key."""

    etags: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As it is stored; equal sources are equal bytes."""
        content = {
            "etags": dict(sorted(self.etags.items())),
            "failures": {key: asdict(refusal) for key, refusal in sorted(self.refusals.items())},
        }
        return gzip.compress(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode(), 6, mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> "Sources":
        """Read what `to_bytes` wrote; `name` is the file's, for the error message.

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

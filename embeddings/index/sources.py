"""The gallery as the last rebuild saw it, for the next one to compare with. Queries never read it."""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import Any

from embeddings.errors import CorruptIndexError
from embeddings.products.records import RowRefusal


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
class FeedState:
    """The product feed as it was used last."""

    uri: str
    """"" for the one that is found at the gallery's root."""
    etag: str
    image_base_url: str = ""
    hide_unlisted: bool = False
    """Whether searches find only photos that show a product."""
    products: int = 0
    """Photos that show a product."""
    rows_failed: int = 0
    """Rows that cannot be used."""
    refusals: tuple[RowRefusal, ...] = ()
    """The first of them."""
    empty_columns: tuple[str, ...] = ()
    """Columns that no row has a value in."""
    left_out: tuple[str, ...] = ()
    """Columns that do not fit into the metadata of some photos in S3 Vectors."""
    hidden: frozenset[str] = frozenset()
    """Keys of photos that searches do not find."""

    def to_json(self) -> dict[str, Any]:
        """Return everything but the hidden photos, for storage."""
        stored = {name: value for name, value in asdict(self).items() if name != "hidden"}
        return {**stored, "refusals": [astuple(each) for each in self.refusals]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "FeedState":
        """Read what `to_json` returned, with the hidden photos. Raises KeyError, TypeError, ValueError."""
        return cls(
            uri=str(stored["uri"]),
            etag=str(stored["etag"]),
            image_base_url=str(stored["image_base_url"]),
            hide_unlisted=bool(stored["hide_unlisted"]),
            products=int(stored["products"]),
            rows_failed=int(stored["rows_failed"]),
            refusals=tuple(RowRefusal(int(line), str(id_), str(reason)) for line, id_, reason in stored["refusals"]),
            empty_columns=tuple(map(str, stored["empty_columns"])),
            left_out=tuple(map(str, stored["left_out"])),
            hidden=frozenset(map(str, stored["hidden"])),
        )


@dataclass(frozen=True)
class Sources:
    """ETags of the indexed images and refusals of the others, by key; and the product feed, if there is one."""

    etags: Mapping[str, str] = field(default_factory=dict)
    """Hidden photos included."""
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    feed: FeedState | None = None

    @property
    def hidden(self) -> list[str]:
        """The keys of photos that have a vector and are not to be found, sorted."""
        return sorted(self.feed.hidden & self.etags.keys()) if self.feed else []

    @property
    def shown(self) -> list[str]:
        """The keys of the other photos, sorted."""
        return sorted(self.etags.keys() - self.feed.hidden if self.feed else self.etags)

    def same_photos(self, other: "Sources") -> bool:
        """Say whether both say the same of all photos."""
        return self.etags == other.etags and self.refusals == other.refusals

    def to_bytes(self) -> bytes:
        """Serialize for storage. Equal sources give equal bytes."""
        content = {
            "etags": {key: self.etags[key] for key in self.shown},
            "failures": {key: asdict(refusal) for key, refusal in sorted(self.refusals.items())},
        }
        if self.feed is not None:
            content["feed"] = {**self.feed.to_json(), "hidden": {key: self.etags[key] for key in self.hidden}}
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
            etags = {str(key): str(etag) for key, etag in content["etags"].items()}
            if "feed" not in content:
                return cls(etags, refusals)
            hidden = {str(key): str(etag) for key, etag in content["feed"]["hidden"].items()}
            return cls(etags | hidden, refusals, FeedState.from_json(content["feed"]))
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

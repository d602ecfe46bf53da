"""Addresses of storage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embeddings.errors import StorageUriError


@dataclass(frozen=True)
class StorageUri:
    """`s3://bucket/prefix`, `gs://bucket/prefix` or a folder, taken apart."""

    scheme: Literal["s3", "gs", "file"]
    bucket: str
    """Empty for a folder."""
    prefix: str
    """Without slashes at its ends, "" for the whole bucket; for a folder its absolute path."""

    @classmethod
    def parse(cls, uri: str) -> "StorageUri":
        """Take a URI apart.

        Raises:
            StorageUriError: empty, an unknown scheme, no bucket, or a prefix with `.`, `..` or empty segments.
        """
        for scheme in ("s3", "gs"):
            if uri.startswith(f"{scheme}://"):
                bucket, _, prefix = uri.removeprefix(f"{scheme}://").partition("/")
                prefix = prefix.strip("/")
                if not bucket or (prefix and any(part in ("", ".", "..") for part in prefix.split("/"))):
                    raise StorageUriError(f"{uri!r} is not of the form {scheme}://bucket/prefix")
                return cls("s3" if scheme == "s3" else "gs", bucket, prefix)
        path = uri.removeprefix("file://")
        if not path or "://" in path:
            raise StorageUriError(f"{uri!r} is no storage address; use s3://bucket/prefix, gs://bucket/prefix or a folder")
        return cls("file", "", str(Path(path).resolve()))

    def contains(self, other: "StorageUri") -> bool:
        """Whether `other` is this place or lies inside it."""
        if (self.scheme, self.bucket) != (other.scheme, other.bucket):
            return False
        return not self.prefix or f"{other.prefix}/".startswith(f"{self.prefix}/")

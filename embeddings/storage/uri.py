"""Storage addresses."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embeddings.errors import StorageUriError
from embeddings.storage.keys import key_problem

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # other characters make clients panic, or address something else


@dataclass(frozen=True)
class StorageUri:
    """`s3://bucket/prefix`, `gs://bucket/prefix` or a folder, taken apart."""

    scheme: Literal["s3", "gs", "file"]
    bucket: str
    """Empty for a folder."""
    prefix: str
    """Without slashes at its ends; "" for the whole bucket. For a folder, its absolute path."""

    @classmethod
    def parse(cls, uri: str) -> "StorageUri":
        """Take a URI apart.

        Raises:
            StorageUriError: it is empty, has an unknown scheme or an impossible bucket name, or its prefix is not a key
                in normal form.
        """
        for scheme in ("s3", "gs"):
            if uri.startswith(f"{scheme}://"):
                bucket, _, prefix = uri.removeprefix(f"{scheme}://").partition("/")
                prefix = prefix.strip("/")
                if not _BUCKET.fullmatch(bucket) or (prefix and key_problem(prefix)):
                    raise StorageUriError(f"{uri!r} is not of the form {scheme}://bucket/prefix")
                return cls("s3" if scheme == "s3" else "gs", bucket, prefix)
        path = uri.removeprefix("file://")
        if not path or "://" in path or path.startswith(("s3:", "gs:")):
            raise StorageUriError(
                f"{uri!r} is not a storage address; use s3://bucket/prefix, gs://bucket/prefix or a folder"
            )
        return cls("file", "", str(Path(path).resolve()))

    def __str__(self) -> str:
        """Return the address that `parse` takes apart."""
        return self.prefix if self.scheme == "file" else f"{self.scheme}://{self.bucket}/{self.prefix}"

    def contains(self, other: "StorageUri") -> bool:
        """Say whether `other` is this place or lies inside it."""
        if (self.scheme, self.bucket) != (other.scheme, other.bucket):
            return False
        return not self.prefix or f"{other.prefix}/".startswith(f"{self.prefix.rstrip('/')}/")

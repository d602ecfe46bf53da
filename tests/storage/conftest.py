"""Empty storage on every backend."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import pytest

from embeddings.storage.uri import StorageUri

ODD_KEYS = [
    "plain.jpg",
    "a b/c+d.jpg",
    "a%2Fb%20c.jpg",
    "what?x=1&y=2;z#1.jpg",
    "ü/é\u0301/服.jpg",
    "\U0001f457.jpg",
    "'\"<>&`|\\^{}[]~!$*(),;:@=.jpg",
    " leading and trailing ",
    "...",
    ".hidden/.file",
    "%",
    "\u2028\xa0\u202e",
    "/".join(["x" * 100] * 10) + "y" * 4,
]


@pytest.fixture(params=["folder", "s3", "gs"])
def storage_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of empty storage with a prefix."""
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('s3_server').new_bucket()}/pre fix+"
    if request.param == "gs":
        bucket = f"bucket-{token_hex(4)}"
        request.getfixturevalue("gcs_server").buckets[bucket] = {}
        return f"gs://{bucket}/pre fix+"
    folder = tmp_path / "bucket" / "pre fix+"
    folder.mkdir(parents=True)
    return str(folder)


@pytest.fixture
def put_raw(storage_uri: str, request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Puts an object under the prefix without our writer: quickly, and with keys that the writer refuses."""
    uri = StorageUri.parse(storage_uri)

    def put(key: str, data: bytes) -> None:
        full = f"{uri.prefix}/{key}"
        if uri.scheme == "s3":
            request.getfixturevalue("s3_server").put(uri.bucket, full, data)
        elif uri.scheme == "gs":
            request.getfixturevalue("gcs_server").write(uri.bucket, full, data, {}, None)
        else:
            Path(full).parent.mkdir(parents=True, exist_ok=True)
            Path(full).write_bytes(data)

    return put

"""Storage addresses."""

from pathlib import Path

import pytest

from embeddings.errors import StorageUriError
from embeddings.storage.uri import StorageUri


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://bucket", ("s3", "bucket", "")),
        ("s3://bucket/", ("s3", "bucket", "")),
        ("s3://my.bucket-1/a/b c/", ("s3", "my.bucket-1", "a/b c")),
        ("gs://under_score/é", ("gs", "under_score", "é")),
        ("/some/folder/", ("file", "", "/some/folder")),
        ("file:///some/folder", ("file", "", "/some/folder")),
    ],
)
def test_addresses_are_taken_apart(uri: str, parts: tuple[str, str, str]) -> None:
    parsed = StorageUri.parse(uri)
    assert (parsed.scheme, parsed.bucket, parsed.prefix) == parts
    assert StorageUri.parse(str(StorageUri.parse(uri))) == StorageUri.parse(uri)


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert StorageUri.parse("photos").prefix == str(tmp_path.resolve() / "photos")


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "",
            "file://",
            "s3://",
            "gs:///prefix",
            "s3://b/a//b",
            "s3://b/../c",
            "gs://b/./c",
            "s3://b/a\nb",
            "s3:/b",
            "gs:b",
        ),
        *("http://host/x", "S3://bucket", "s3://my bucket/x", "s3://a?b/x", "s3://user@host/x", "s3://ü"),
    ],
)
def test_an_impossible_address_is_refused(uri: str) -> None:
    with pytest.raises(StorageUriError):
        StorageUri.parse(uri)


def test_containment_goes_by_whole_segments() -> None:
    outer = StorageUri.parse("s3://bucket/photos")
    assert outer.contains(outer)
    assert outer.contains(StorageUri.parse("s3://bucket/photos/index"))
    assert StorageUri.parse("s3://bucket").contains(outer)
    assert not outer.contains(StorageUri.parse("s3://bucket/photos2"))
    assert not outer.contains(StorageUri.parse("gs://bucket/photos"))
    assert not outer.contains(StorageUri.parse("s3://bucket"))

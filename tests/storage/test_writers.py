"""All writers give the same answers."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from embeddings.errors import ConflictError, NotFoundError, StorageError, StorageUriError
from embeddings.storage.objects import Writer
from embeddings.storage.uri import StorageUri
from embeddings.storage.writers import open_writer
from tests.servers.gcs import GcsServer
from tests.servers.s3 import S3Server
from tests.storage.conftest import ODD_KEYS

POINTER: dict[str, Any] = {"content_type": "application/json", "cache_control": "no-store"}


@pytest.fixture
def writer(storage_uri: str) -> Writer:
    return open_writer(storage_uri)


def keys(writer: Writer, prefix: str = "") -> list[str]:
    return sorted(info.key for info in writer.list(prefix))


def test_data_survives_writing_and_reading(writer: Writer) -> None:
    for data in (b"", b"\x00\r\n\r\n--boundary\xff", b"x" * 9_000_000):
        writer.put("folder/object", data)
        assert writer.get("folder/object").data == data
        assert writer.stat("folder/object").size == len(data)
        assert keys(writer) == ["folder/object"]


def test_listing_and_stat_agree(writer: Writer) -> None:
    writer.put("a/1.jpg", b"one")
    (listed,) = writer.list()
    stat = writer.stat("a/1.jpg")
    assert (listed.key, listed.etag, listed.size) == (stat.key, stat.etag, stat.size) == ("a/1.jpg", stat.etag, 3)
    assert listed.etag
    for modified in (listed.modified, stat.modified):
        assert modified.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - modified) < timedelta(minutes=1)


def test_the_etag_changes_with_the_content_only(storage_uri: str, writer: Writer) -> None:
    etags = []
    for content in range(10):  # of equal size, and faster than the file system's clock
        writer.put("photo", b"%d" % content)
        etags.append(writer.stat("photo").etag)
    assert len(set(etags)) == 10
    assert writer.stat("photo").etag == etags[-1]
    if StorageUri.parse(storage_uri).scheme != "file":  # a folder's ETag depends on the time of writing
        writer.put("photo", b"0")
        assert writer.stat("photo").etag == etags[0]


def test_odd_keys(writer: Writer) -> None:
    for key in ODD_KEYS:
        writer.put(key, key.encode())
    assert keys(writer) == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        assert writer.get(key).data == key.encode()
        assert writer.stat(key).key == key
        assert keys(writer, key) == [key]
        writer.delete([key])
        with pytest.raises(NotFoundError):
            writer.get(key)


def test_keys_not_in_normal_form_are_refused_everywhere(writer: Writer) -> None:
    for key in ("", "/a", "a/", "a//b", "../a", "a/../../b", "a/.", "a\nb", "\ud800", "x" * 1025):
        for attempt in (
            partial(writer.put, key, b""),
            partial(writer.compare_and_set, key, b"", None, **POINTER),
            partial(writer.get, key),
            partial(writer.stat, key),
            partial(writer.delete, [key]),
        ):
            with pytest.raises(StorageError, match="cannot be used"):
                attempt()
    assert keys(writer) == []


def test_a_prefix_is_the_start_of_a_key(writer: Writer) -> None:
    for key in ("a/1", "a/b/2", "ab/3", "ab", "b"):
        writer.put(key + ".jpg", b"")
    assert keys(writer, "a") == ["a/1.jpg", "a/b/2.jpg", "ab.jpg", "ab/3.jpg"]
    assert keys(writer, "a/") == ["a/1.jpg", "a/b/2.jpg"]
    assert keys(writer, "a/b") == ["a/b/2.jpg"]
    assert keys(writer, "a/b/2.jpg") == ["a/b/2.jpg"]
    assert keys(writer, "nothing/here") == []


def test_a_sibling_with_the_same_start_is_another_place(storage_uri: str, writer: Writer) -> None:
    open_writer(f"{storage_uri}2").put("theirs", b"")
    writer.put("ours", b"")
    assert keys(writer) == ["ours"]
    assert keys(open_writer(f"{storage_uri}2")) == ["theirs"]


def test_without_a_prefix_the_whole_bucket_is_listed(storage_uri: str, writer: Writer) -> None:
    writer.put("a/b", b"")
    uri = StorageUri.parse(storage_uri)
    whole = storage_uri.removesuffix("/pre fix+") if uri.scheme == "file" else f"{uri.scheme}://{uri.bucket}"
    assert keys(open_writer(whole)) == ["pre fix+/a/b"]
    assert open_writer(whole).get("pre fix+/a/b").data == b""


def test_listing_and_deleting_go_beyond_a_page(
    storage_uri: str, writer: Writer, put_raw: Callable[[str, bytes], None], request: pytest.FixtureRequest
) -> None:
    total = 1003
    if StorageUri.parse(storage_uri).scheme == "gs":  # deletes with one request a key
        request.getfixturevalue("gcs_server").page_size, total = 50, 103
    expected = [f"{number % 10}/{number:04}" for number in range(total)]
    for key in expected:
        put_raw(key, b"")
    assert keys(writer) == sorted(expected)
    writer.delete(key for key in expected[1:])
    assert keys(writer) == expected[:1]


def test_folder_markers_are_not_objects(
    storage_uri: str, writer: Writer, put_raw: Callable[[str, bytes], None]
) -> None:
    if StorageUri.parse(storage_uri).scheme != "file":
        put_raw("", b"")
        put_raw("folder/", b"")
    writer.put("folder/object", b"")
    assert keys(writer) == ["folder/object"]


def test_listing_shows_keys_as_they_are(
    storage_uri: str, writer: Writer, put_raw: Callable[[str, bytes], None]
) -> None:
    unusable = ["new\nline", "tab\t"]
    if StorageUri.parse(storage_uri).scheme != "file":
        unusable += ["a//b", "../up", "/lead"]
    for key in unusable:
        put_raw(key, b"")
    assert keys(writer) == sorted(unusable)


def test_missing_objects(writer: Writer) -> None:
    writer.put("folder/object", b"")
    for key in ("missing", "folder", "folder/object/below", "folder/other"):
        with pytest.raises(NotFoundError, match="no such"):
            writer.get(key)
        with pytest.raises(NotFoundError, match="no such"):
            writer.stat(key)
    writer.delete(["missing", "folder/object", "folder/object/below", "folder/object"])
    assert keys(writer) == []


def test_compare_and_set(writer: Writer) -> None:
    writer.compare_and_set("current.json", b"one", None, **POINTER)
    first = writer.get("current.json")
    assert first.data == b"one"
    with pytest.raises(ConflictError, match="read it again"):
        writer.compare_and_set("current.json", b"lost", None, **POINTER)
    writer.compare_and_set("current.json", b"two", first.version, **POINTER)
    second = writer.get("current.json")
    assert second.version != first.version
    with pytest.raises(ConflictError):
        writer.compare_and_set("current.json", b"lost", first.version, **POINTER)
    assert writer.get("current.json").data == b"two"
    writer.put("current.json", b"333")
    with pytest.raises(ConflictError):
        writer.compare_and_set("current.json", b"lost", second.version, **POINTER)
    third = writer.get("current.json")
    writer.delete(["current.json"])
    with pytest.raises(ConflictError):
        writer.compare_and_set("current.json", b"lost", third.version, **POINTER)
    assert keys(writer) == []


def test_one_of_many_concurrent_creates_wins(writer: Writer) -> None:
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        start.wait()
        try:
            writer.compare_and_set("current.json", b"%d" % number, None, **POINTER)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(create, range(8)))
    assert sum(won) == 1
    assert writer.get("current.json").data == b"%d" % won.index(True)


def test_no_update_is_lost(writer: Writer) -> None:
    writer.put("counter", b"100")

    def increment(_: int) -> None:
        while True:
            seen = writer.get("counter")
            try:
                return writer.compare_and_set("counter", b"%d" % (int(seen.data) + 1), seen.version, **POINTER)
            except ConflictError:
                continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(increment, range(20)))
    assert writer.get("counter").data == b"120"


def test_one_writer_serves_many_threads(writer: Writer) -> None:
    def work(number: int) -> bytes:
        writer.put(f"{number % 4}/{number}", b"%d" % number)
        return writer.get(f"{number % 4}/{number}").data

    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(work, range(64))) == [b"%d" % number for number in range(64)]
    assert len(keys(writer)) == 64


def test_a_missing_bucket_is_not_a_missing_object(s3_server: S3Server, gcs_server: GcsServer) -> None:
    for uri in ("s3://no-such-bucket-here/prefix", "gs://no-such-bucket-here/prefix"):
        writer = open_writer(uri)
        for attempt in (
            partial(keys, writer),
            partial(writer.get, "a"),
            partial(writer.stat, "a"),
            partial(writer.put, "a", b""),
            partial(writer.compare_and_set, "a", b"", None, **POINTER),
            partial(writer.compare_and_set, "a", b"", "1", **POINTER),
            partial(writer.delete, ["a"]),
        ):
            with pytest.raises(StorageError, match="no such bucket") as caught:
                attempt()
            assert type(caught.value) is StorageError


def test_content_type_and_cache_control_are_kept(s3_server: S3Server, gcs_server: GcsServer) -> None:
    bucket = s3_server.new_bucket()
    gcs_server.buckets[bucket] = {}
    for scheme in ("s3", "gs"):
        writer = open_writer(f"{scheme}://{bucket}/index")
        writer.compare_and_set("current.json", b"{}", None, **POINTER)
        writer.put("large", b"x" * 9_000_000, content_type="image/jpeg", cache_control="max-age=60")
        writer.put("plain", b"")
    import boto3.session

    client = boto3.session.Session().client("s3")
    for key, expected in {
        "index/current.json": ("application/json", "no-store"),
        "index/large": ("image/jpeg", "max-age=60"),
        "index/plain": ("application/octet-stream", None),
    }.items():
        answer = client.head_object(Bucket=bucket, Key=key)
        assert (answer["ContentType"], answer.get("CacheControl")) == expected
        stored = gcs_server.buckets[bucket][key]
        assert (stored.content_type, stored.cache_control) == expected


@pytest.mark.parametrize(
    ("uri", "module", "package"),
    [("s3://bucket", "boto3", "boto3"), ("gs://bucket", "google.cloud", "google-cloud-storage")],
)
def test_the_error_for_a_missing_sdk_says_what_to_install(
    uri: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for loaded in ("embeddings.storage.writers.s3", "embeddings.storage.writers.gcs"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StorageUriError, match=f"pip install {package}"):
        open_writer(uri)

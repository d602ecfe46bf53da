"""The reader sees what the writers wrote, on every backend alike."""

import hashlib
import json
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from embeddings.errors import NotFoundError, StorageError, StorageUriError
from embeddings.storage import reader as reader_module
from embeddings.storage.keys import key_problem
from embeddings.storage.objects import Writer
from embeddings.storage.reader import Reader, open_reader
from embeddings.storage.uri import StorageUri
from embeddings.storage.writers import open_writer
from tests.servers.gcs import GcsServer
from tests.servers.s3 import S3Server
from tests.storage.conftest import ODD_KEYS


@pytest.fixture
def writer(storage_uri: str) -> Writer:
    return open_writer(storage_uri)


@pytest.fixture
def reader(storage_uri: str) -> Reader:
    return open_reader(storage_uri)


def pattern(length: int) -> bytes:
    """Bytes in which swapped parts show."""
    return b"".join(b"%07d " % number for number in range(length // 8 + 1))[:length]


def test_reader_and_writer_see_the_same(reader: Reader, writer: Writer) -> None:
    for key in ODD_KEYS:
        writer.put(key, key.encode())
    for info in writer.list():
        read = reader.get(info.key, size=info.size)
        assert read.data == writer.get(info.key).data == info.key.encode()
        assert read.etag


def test_an_empty_object(reader: Reader, writer: Writer) -> None:
    writer.put("empty", b"")
    assert reader.get("empty").data == reader.get("empty", size=0).data == b""


def test_get_if_changed(reader: Reader, writer: Writer) -> None:
    writer.put("current.json", b"1")
    first = reader.get("current.json")
    assert reader.get_if_changed("current.json", first.etag) is None
    writer.put("current.json", b"2")
    second = reader.get_if_changed("current.json", first.etag)
    assert second is not None
    assert second.data == b"2"
    assert second.etag != first.etag
    assert second == reader.get("current.json")
    assert reader.get_if_changed("current.json", second.etag) is None
    writer.delete(["current.json"])
    with pytest.raises(NotFoundError):
        reader.get_if_changed("current.json", second.etag)


def test_missing_objects(reader: Reader, writer: Writer) -> None:
    writer.put("folder/object", b"")
    for key in ("missing", "folder", "folder/object/below"):
        with pytest.raises(NotFoundError, match="no such object"):
            reader.get(key)
        with pytest.raises(NotFoundError):
            reader.get(key, size=20_000_000)


def test_storage_may_appear_after_the_reader(storage_uri: str) -> None:
    reader = open_reader(f"{storage_uri}/not/yet")
    with pytest.raises(NotFoundError):
        reader.get("current.json")
    open_writer(f"{storage_uri}/not/yet").put("current.json", b"now")
    assert reader.get("current.json").data == b"now"


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a\nb", "\ud800"])
def test_keys_not_in_normal_form_are_refused(key: str, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    reader = open_reader(str(tmp_path))
    for attempt in (partial(reader.get, key), partial(reader.get_if_changed, key, "etag")):
        with pytest.raises(StorageError, match="cannot be used"):
            attempt()


def test_a_large_object_comes_in_parts(reader: Reader, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "PART_BYTES", 1000)
    for length in (999, 1000, 1001, 20_500):
        writer.put("large", pattern(length))
        arrived: list[memoryview] = []
        assert reader.get("large", size=length, each=arrived.append).data == pattern(length)
        assert b"".join(arrived) == pattern(length)


def test_another_size_is_an_error(reader: Reader, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "PART_BYTES", 1000)
    for there, expected in ((10, 9), (10, 11), (0, 1), (5000, 4999), (5000, 5001), (10, 5000)):
        writer.put("object", bytes(there))
        with pytest.raises(StorageError, match=f"{there} bytes where {expected} were expected|416"):
            reader.get("object", size=expected)


def test_parts_of_two_versions_are_not_mixed(gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gcs_server.buckets["bucket"] = {}
    writer, reader = open_writer("gs://bucket"), open_reader("gs://bucket")
    writer.put("object", b"a" * 5000)
    monkeypatch.setattr(reader_module, "PART_BYTES", 1000)
    replaced: list[str] = []

    def replace_once(request: str) -> None:
        if len(gcs_server.requests) > before + 2 and not replaced:
            replaced.append(request)
            gcs_server.write("bucket", "object", b"b" * 5000, {}, None)

    before = len(gcs_server.requests)
    gcs_server.before_request = replace_once
    with pytest.raises(StorageError, match="replaced during the read"):
        reader.get("object", size=5000)
    assert reader.get("object", size=5000).data == b"b" * 5000


def test_parts_are_requested_in_parallel(gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gcs_server.buckets["bucket"] = {}
    gcs_server.write("bucket", "object", pattern(4000), {}, None)
    monkeypatch.setattr(reader_module, "PART_BYTES", 1000)
    together = threading.Barrier(4, timeout=20)  # breaks, and fails the request, unless four requests wait at once
    gcs_server.before_request = lambda request: (together.wait(), None)[1]
    assert open_reader("gs://bucket").get("object", size=4000).data == pattern(4000)


def test_one_reader_serves_many_threads(reader: Reader, writer: Writer) -> None:
    for number in range(8):
        writer.put(f"{number}", b"%d" % number)
    with ThreadPoolExecutor(16) as threads:
        read = list(threads.map(lambda number: reader.get(f"{number % 8}").data, range(64)))
    assert read == [b"%d" % (number % 8) for number in range(64)]


def test_signed_urls_on_s3_open_the_objects(s3_server: S3Server) -> None:
    uri = f"s3://{s3_server.new_bucket()}/gallery"
    writer = open_writer(uri)
    for key in ODD_KEYS:
        writer.put(key, key.encode())
    urls = open_reader(uri).sign(ODD_KEYS, 600)
    assert len(urls) == len(ODD_KEYS)
    for key, url in zip(ODD_KEYS, urls, strict=True):
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == key.encode()
        assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["600"]


def test_signed_urls_on_google_need_only_a_key(
    clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    private_key = rsa.generate_private_key(65537, 2048)
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "signer@project.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "private_key_id": "1",
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    urls = open_reader("gs://bucket/gallery").sign(ODD_KEYS, 600)
    for key, url in zip(ODD_KEYS, urls, strict=True):
        parts = urlsplit(url)
        assert parts.path == f"/bucket/gallery/{quote(key)}"
        assert parse_qs(parts.query)["X-Goog-Expires"] == ["600"]
        # https://cloud.google.com/storage/docs/access-control/signing-urls-manually
        query, _, signature = parts.query.partition("&X-Goog-Signature=")
        canonical = "\n".join(
            [
                "GET",
                parts.path,
                "&".join(sorted(query.split("&"))),
                f"host:{parts.netloc}\n",
                "host",
                "UNSIGNED-PAYLOAD",
            ]
        )
        date, scope = parse_qs(query)["X-Goog-Date"][0], parse_qs(query)["X-Goog-Credential"][0].partition("/")[2]
        signed = "\n".join(["GOOG4-RSA-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        private_key.public_key().verify(bytes.fromhex(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_a_folder_cannot_sign(tmp_path: Path) -> None:
    with pytest.raises(StorageUriError, match="IMAGE_BASE_URL"):
        open_reader(str(tmp_path)).sign(["a"], 60)


@pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * 3600 + 1])
def test_signatures_last_at_most_a_week(s3_server: S3Server, seconds: int) -> None:
    reader = open_reader("s3://bucket")
    assert reader.sign([], 60) == []
    with pytest.raises(StorageError, match="604800"):
        reader.sign(["a"], seconds)
    with pytest.raises(StorageError, match="cannot be used"):
        reader.sign(["a", "/b"], 60)


def test_a_missing_bucket_is_not_a_missing_object(s3_server: S3Server, gcs_server: GcsServer) -> None:
    for uri in ("s3://no-such-bucket-here/prefix", "gs://no-such-bucket-here/prefix"):
        with pytest.raises(StorageError, match="no such bucket") as caught:
            open_reader(uri).get("a")
        assert type(caught.value) is StorageError


def test_a_folder_name_ending_like_obstores_temporary_files(tmp_path: Path) -> None:
    writer, reader = open_writer(str(tmp_path)), open_reader(str(tmp_path))
    writer.put("shirt #1.jpg", b"fine")
    writer.put("shirt#1", b"not for obstore")
    assert reader.get("shirt #1.jpg").data == b"fine"
    with pytest.raises(StorageError, match="not supported"):
        reader.get("shirt#1")


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.lists(NAMES, min_size=1, max_size=4).map("/".join), data=st.binary(max_size=50))
def test_every_key_in_normal_form_can_be_written_and_read(
    storage_uri: str, reader: Reader, writer: Writer, name: str, data: bytes
) -> None:
    assume(key_problem(name) is None)
    if StorageUri.parse(storage_uri).scheme == "file":
        _, hash_sign, digits = name.rpartition("#")  # see the test above
        assume(not (hash_sign and digits.isascii() and digits.isdigit()))
    writer.put(name, data)
    assert reader.get(name).data == writer.get(name).data == data
    assert [info.key for info in writer.list()] == [name]
    writer.delete([name])
    assert list(writer.list()) == []


def test_the_import_loads_no_sdk() -> None:
    program = "import sys, embeddings.storage.reader; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {
        "boto3",
        "botocore",
        "google.cloud.storage",
        "google.auth",
        "numpy",
        "PIL",
        "concurrent.futures",
        "logging",
    }
    assert "obstore" in loaded
    assert heavy.isdisjoint(loaded)

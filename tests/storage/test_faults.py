"""Failures of storage become this library's errors, soon, and the message says what to do."""

import json
import time
from functools import partial
from pathlib import Path

import pytest

from embeddings.errors import ConflictError, NotFoundError, StorageError, UnavailableError
from embeddings.storage.http_errors import storage_error
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer
from tests.servers.fixtures import ScriptedServer, SilentServer
from tests.servers.gcs import GcsServer

STATUSES = [
    (401, StorageError, "access denied|no usable Google credentials"),
    (403, StorageError, "access denied"),
    (404, NotFoundError, "no such object"),
    (412, ConflictError, "read it again"),
    (400, StorageError, "refused the request .HTTP 400"),
    (429, UnavailableError, "busy or failing .HTTP 429"),
    (503, UnavailableError, "busy or failing .HTTP 503"),
]


def give_up_on_google_after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    from embeddings.storage.writers import gcs  # takes a second

    monkeypatch.setattr(gcs, "_RETRY", gcs._RETRY.with_timeout(seconds).with_delay(0.05, 0.05))


@pytest.fixture(params=["s3", "gs"])
def endpoint(request: pytest.FixtureRequest, aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> "Endpoint":
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    give_up_on_google_after(0.2, monkeypatch)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda *_: None)  # slows down after a refusal
    return Endpoint(request.param, monkeypatch)


class Endpoint:
    """Points the environment of one kind of storage at a server."""

    def __init__(self, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.uri = f"{scheme}://bucket/prefix"
        self._monkeypatch = monkeypatch

    def at(self, url: str) -> str:
        for variable in ("AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"):
            self._monkeypatch.setenv(variable, url)
        return self.uri


def test_every_status_becomes_one_of_our_errors(endpoint: Endpoint, scripted_server: ScriptedServer) -> None:
    uri = endpoint.at(scripted_server.url)
    writer, reader = open_writer(uri), open_reader(uri)
    attempts = (
        partial(reader.get, "a"),
        partial(reader.get, "a", size=10_000_000),
        partial(reader.get_if_changed, "a", '"etag"'),
        partial(writer.get, "a"),
        partial(writer.put, "a", b""),
    )
    for status, error, says in STATUSES:
        scripted_server.answers = [(status, b"")]
        for attempt in attempts:
            with pytest.raises(error, match=says) as caught:
                attempt()
            assert type(caught.value) is error
            assert "/bucket/prefix/a" in str(caught.value)


def test_a_lost_compare_and_set_is_a_conflict(endpoint: Endpoint, scripted_server: ScriptedServer) -> None:
    writer = open_writer(endpoint.at(scripted_server.url))
    for status in (404, 409, 412) if endpoint.uri.startswith("s3") else (409, 412):
        scripted_server.answers = [(status, b"")]
        with pytest.raises(ConflictError):
            writer.compare_and_set("a", b"", "1", content_type="", cache_control="no-store")


def test_a_refused_compare_and_set_is_not_a_conflict(endpoint: Endpoint, scripted_server: ScriptedServer) -> None:
    writer = open_writer(endpoint.at(scripted_server.url))
    for status in (429, 500, 503):
        scripted_server.answers = [(status, b"")]
        with pytest.raises(StorageError, match="try again later") as caught:
            writer.compare_and_set("a", b"", "1", content_type="", cache_control="no-store")
        assert not isinstance(caught.value, ConflictError)


def test_one_failure_is_overcome(
    endpoint: Endpoint, scripted_server: ScriptedServer, patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_on_google_after(20, monkeypatch)
    uri = endpoint.at(scripted_server.url)
    scripted_server.answers = [(503, b""), (200, b"content")]
    assert open_reader(uri).get("a").data == b"content"
    assert len(scripted_server.requests) == 2
    scripted_server.answers = [(503, b""), (200, b"content")]
    assert open_writer(uri).get("a").data == b"content"
    scripted_server.answers = [(503, b""), (200, b"{}" if uri.startswith("gs") else b"")]
    open_writer(uri).put("a", b"content")


def test_the_reader_tries_twice(endpoint: Endpoint, scripted_server: ScriptedServer) -> None:
    reader = open_reader(endpoint.at(scripted_server.url))
    scripted_server.answers = [(500, b"")]
    with pytest.raises(StorageError, match="HTTP 500"):
        reader.get("a")
    assert len(scripted_server.requests) == 2


@pytest.mark.alone
def test_storage_that_never_answers_is_given_up(
    aws_keys: None, silent_server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent_server.url)
    reader = open_reader("s3://bucket")
    start = time.monotonic()
    with pytest.raises(StorageError, match="no answer from storage"):
        reader.get("a")
    assert 3.9 < time.monotonic() - start < 5.5  # two tries, two seconds each
    assert silent_server.connections == 2


@pytest.mark.alone
def test_a_refused_connection(endpoint: Endpoint, refused_url: str) -> None:
    uri = endpoint.at(refused_url)
    start = time.monotonic()
    for attempt in (partial(open_reader(uri).get, "a"), partial(open_writer(uri).get, "a")):
        with pytest.raises(StorageError, match="no answer from storage"):
            attempt()
    with pytest.raises(StorageError, match="no answer from storage"):
        list(open_writer(uri).list())
    assert time.monotonic() - start < 3


def test_another_region(aws_keys: None, scripted_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", scripted_server.url)
    scripted_server.answers = [(301, b"<Error><Code>PermanentRedirect</Code></Error>")]
    with pytest.raises(StorageError, match="set AWS_REGION"):
        open_reader("s3://bucket").get("a")  # boto3 finds the region itself


def test_google_allows_one_write_a_second(gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    gcs_server.buckets["bucket"] = {}
    gcs_server.seconds_between_writes = 60
    writer = open_writer("gs://bucket")
    writer.put("current.json", b"1")
    version = writer.get("current.json").version
    pointer = {"content_type": "application/json", "cache_control": "no-store"}
    with monkeypatch.context() as impatient:
        give_up_on_google_after(0.1, impatient)
        with pytest.raises(StorageError, match="HTTP 429") as caught:
            writer.compare_and_set("current.json", b"2", version, **pointer)
    assert not isinstance(caught.value, ConflictError)
    gcs_server.seconds_between_writes = 1
    writer.compare_and_set("current.json", b"2", version, **pointer)  # the SDK waits
    assert writer.get("current.json").data == b"2"


def test_no_credentials_on_amazon(clean_environment: None, refused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="AWS_PROFILE"):
        open_writer("s3://bucket").get("a")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", refused_url)
    reader = open_reader("s3://bucket")
    with pytest.raises(StorageError, match="no credentials found; set AWS_PROFILE"):
        reader.get("a")
    with pytest.raises(StorageError, match="no credentials found"):
        reader.sign(["a"], 60)


def test_no_credentials_on_google(clean_environment: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(StorageError, match="gcloud auth application-default login"):
        open_writer("gs://bucket")


def test_a_profile_of_aws_configure(
    clean_environment: None, scripted_server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credentials").write_text("[mine]\naws_access_key_id = MYKEY\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", scripted_server.url)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    (url,) = open_reader("s3://bucket").sign(["a"], 60)
    assert "X-Amz-Credential=MYKEY" in url
    monkeypatch.setenv("AWS_PROFILE", "theirs")
    for open_storage in (open_reader, open_writer):
        with pytest.raises(StorageError, match="theirs"):
            open_storage("s3://bucket")


def test_credentials_as_lambda_gives_them_under_snapstart(
    clean_environment: None, scripted_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials"""
    answer = {"AccessKeyId": "SNAP", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
    scripted_server.answers = [(200, json.dumps(answer).encode())]
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{scripted_server.url}/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token")
    (url,) = open_reader("s3://bucket").sign(["a"], 60)
    assert "X-Amz-Credential=SNAP" in url


def test_an_endpoint_that_is_not_a_url(aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    for open_storage in (open_reader, open_writer):
        with pytest.raises(StorageError, match="localhost:9000"):
            open_storage("s3://bucket")


def test_messages_do_not_reveal_signatures() -> None:
    error = storage_error("s3://bucket/a", 500, "GET http://host/a?X-Amz-Signature=secret&x=1 failed")
    assert "secret" not in str(error)
    assert "http://host/a?..." in str(error)

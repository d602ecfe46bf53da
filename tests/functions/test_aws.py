"""The Lambda handlers, given events as Amazon sends them."""

import base64
import json
import logging
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embeddings.errors import GalleryIndexError, StorageError
from embeddings.gallery import Gallery
from embeddings.index.fetch import fetch_pointer
from embeddings.index.generation import load_generation
from embeddings.index.manifest import PRODUCTS
from embeddings.products.columns import Columns
from embeddings.rebuild import rebuild
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer
from tests.functions.conftest import IMAGE_BASE, MODEL
from tests.functions.http_client import Answer, check_contract
from tests.photos import photo
from tests.servers.s3 import S3Server

EVENTS = Path(__file__).parent / "events"
Handler = Callable[[dict[str, Any]], Answer]


class Context:
    """The part of Lambda's context object that the re-index uses."""

    def __init__(self, seconds: float = 900) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(1000 * (self._end - time.monotonic()))


def event(name: str, bucket: str = "GALLERY-BUCKET") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text().replace("GALLERY-BUCKET", bucket))
    return content


@pytest.fixture
def aws(restored_logging: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handlers of a function that starts cold."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "test")
    for name in ("functions.aws", "functions.search.cold_start"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import functions.aws

    yield functions.aws
    for name in ("functions.aws", "functions.search.cold_start"):
        sys.modules.pop(name, None)


@pytest.fixture
def search(aws: ModuleType) -> Handler:
    def ask(event: dict[str, Any]) -> Answer:
        result = aws.search(event, None)
        json.dumps(result)
        assert not result["isBase64Encoded"] or not result["body"]
        assert not result["cookies"]
        answer = Answer(result["statusCode"], list(result["headers"].items()), result["body"].encode())
        check_contract(event["requestContext"]["http"]["method"], event["rawPath"], answer)
        return answer

    return ask


@pytest.fixture
def in_folder(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_URI", str(index))
    monkeypatch.setenv("IMAGE_BASE_URL", IMAGE_BASE)


@pytest.mark.usefixtures("in_folder")
class TestSearch:
    def test_a_form_through_the_http_api(self, search: Handler) -> None:
        answer = search(event("http_api_post_multipart"))
        assert answer.status == 200
        assert len(answer.json) == 16
        assert any("/shirts/" in url for url in answer.json[:2])
        assert answer.header("access-control-allow-origin") == "*"

    def test_random_through_the_http_api(self, search: Handler) -> None:
        assert len(search(event("http_api_get_random")).json) == 17

    def test_the_adapter_is_made_once(self, search: Handler, aws: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        search(event("http_api_get_random"))
        monkeypatch.setattr("apig_wsgi.make_lambda_handler", None)  # calling it would be an error
        assert search(event("http_api_get_random")).status == 200

    def test_a_key_through_a_function_url(self, search: Handler) -> None:
        answer = search(event("function_url_get_similar"))
        assert answer.json["query"]["key"] == "hüte/grün & 50%.webp"
        assert len(answer.keys) == 3

    def test_an_answer_that_the_client_has_is_confirmed(self, search: Handler) -> None:
        asked = event("function_url_get_similar")
        asked["headers"]["if-none-match"] = str(search(asked).header("etag"))
        answer = search(asked)
        assert (answer.status, answer.body) == (304, b"")

    def test_a_raw_photo_through_a_function_url(self, search: Handler) -> None:
        answer = search(event("function_url_post_raw"))
        assert len(answer.keys) == 3
        assert all(key.startswith("shirts/") for key in answer.keys)

    def test_the_request_id_is_the_gateways(self, search: Handler) -> None:
        assert search(event("http_api_get_random")).header("x-request-id") == "JKJaXmPLvHcESHA="

    @pytest.mark.parametrize(
        ("stage", "base", "path"),
        [
            ("prod", "", "/prod/random"),
            ("prod", "", "/random"),
            ("$default", "/shop", "/shop/random"),
            ("$default", "/shop", "/random"),
            ("v1", "/shop", "/shop/v1/random"),
        ],
    )
    def test_a_path_below_a_stage_or_a_base_path(
        self, aws: ModuleType, monkeypatch: pytest.MonkeyPatch, stage: str, base: str, path: str
    ) -> None:
        monkeypatch.setenv("BASE_PATH", base)
        asked = event("http_api_get_random")
        asked["rawPath"], asked["requestContext"]["stage"] = path, stage
        assert len(json.loads(aws.search(asked, None)["body"])) == 17

    def test_a_path_outside_the_base_path_is_no_route(self, search: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BASE_PATH", "/shop")
        asked = event("http_api_get_random")
        asked["rawPath"] = "/shopping/random"
        assert search(asked).problem == (404, "route-unknown")

    def test_an_encoded_path_is_not_another_route(self, search: Handler) -> None:
        """A function URL leaves the path as the client wrote it."""
        asked = event("function_url_get_similar")
        asked["rawPath"] = "/v1%2Frandom%0A"
        asked["requestContext"]["http"]["path"] = asked["rawPath"]
        assert search(asked).problem == (404, "route-unknown")

    def test_refusals(self, search: Handler) -> None:
        asked = event("function_url_post_raw")
        del asked["body"]
        assert search({**asked, "isBase64Encoded": False}).problem == (400, "photo-empty")
        assert search({**asked, "body": "text", "isBase64Encoded": False}).problem == (415, "photo-unsupported")
        large = base64.b64encode(b"\xff\xd8\xff" + bytes(10_000_000)).decode()
        assert search({**asked, "body": large}).problem == (413, "photo-too-large")
        assert search({**asked, "rawPath": "/random"}).header("allow") == "GET, HEAD, OPTIONS"

    def test_head(self, search: Handler) -> None:
        asked = event("http_api_get_random")
        asked["requestContext"]["http"]["method"] = "HEAD"
        assert (search(asked).status, search(asked).body) == (200, b"")

    def test_preflight(self, search: Handler) -> None:
        asked = event("http_api_get_random")
        asked["requestContext"]["http"]["method"] = "OPTIONS"
        answer = search(asked)
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("access-control-allow-methods")
        assert answer.header("content-length") is None  # RFC 9110, 8.6

    def test_a_bug_is_answered_too(
        self, search: Handler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from embeddings.gallery import Gallery

        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError("private details")

        monkeypatch.setattr(Gallery, "search", fail)
        logging.getLogger().handlers[0].setStream(sys.stdout)  # type: ignore[attr-defined]  # capsys came later
        answer = search(event("http_api_get_random"))
        assert answer.problem == (500, "internal")
        assert "private" not in answer.body.decode()
        assert answer.header("access-control-allow-origin") == "*"
        (record,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (record["severity"], record["status"], record["error"]) == ("ERROR", 500, "private details")
        assert "ZeroDivisionError" in record["stack"]


def test_storage_that_is_down(
    search: Handler, aws_keys: None, refused_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refused_url)
    monkeypatch.setenv("INDEX_URI", "s3://secret-bucket/index")
    monkeypatch.setenv("IMAGE_BASE_URL", IMAGE_BASE)
    answer = search(event("http_api_post_multipart"))
    assert answer.problem == (503, "storage-unavailable")
    assert answer.header("retry-after")
    assert "secret-bucket" not in answer.body.decode()


class Shop:
    """A gallery and its index in two private buckets."""

    def __init__(self, server: S3Server) -> None:
        self.bucket = server.new_bucket()
        self.gallery, self.index = f"s3://{self.bucket}/photos", f"s3://{server.new_bucket()}/index"
        self.photos = open_writer(self.gallery)


@pytest.fixture
def shop(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(s3_server)
    for key in ("gone.jpg", "gone too.jpg", "kept.jpg"):
        shop.photos.put(key, photo("#0000a0"))
    rebuild(shop.gallery, shop.index, model=MODEL)
    shop.photos.delete(["gone.jpg", "gone too.jpg"])
    monkeypatch.setenv("INDEX_URI", shop.index)
    monkeypatch.setenv("GALLERY_URI", shop.gallery)
    monkeypatch.setenv("SIGNED_URL_SECONDS", "300")
    return shop


def test_from_upload_to_answer(shop: Shop, aws: ModuleType, search: Handler) -> None:
    """Objects come and go, the queue reports them, the search finds them, and signed URLs can be fetched."""
    shirt = photo("#800000")
    for key in ("red shirt+1.jpg", "hüte/grün.jpg", "a%2Fb.jpg", "slash.jpg"):
        shop.photos.put(key, shirt)
    shop.photos.put("not named by any event.jpg", shirt)
    assert aws.reindex(event("sqs_s3_objects", shop.bucket), Context()) == {"batchItemFailures": []}

    asked = event("function_url_post_raw")
    answer = search({**asked, "rawQueryString": "k=100"})
    assert sorted(answer.keys) == ["a%2Fb.jpg", "hüte/grün.jpg", "kept.jpg", "red shirt+1.jpg", "slash.jpg"]
    for result in answer.json["results"]:
        with urllib.request.urlopen(result["url"]) as fetched:
            assert fetched.read() == shop.photos.get(result["key"]).data
    assert answer.keys[-1] == "kept.jpg"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_feed_that_is_written_is_read_and_nothing_is_embedded(
    elsewhere: bool, shop: Shop, s3_server: S3Server, aws: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, key = (s3_server.new_bucket(), "today/products.csv") if elsewhere else (shop.bucket, "photos/feed.csv")
    if elsewhere:
        monkeypatch.setenv("FEED_URI", f"s3://{bucket}/{key}")
    monkeypatch.setattr("embeddings.embedder.Embedder.describe_pixels", None)  # calling it would be an error
    record = {"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    message = {"Records": [{"messageId": "1", "body": json.dumps({"Records": [record]})}]}
    for price in (15.0, 9.5):
        feed = f"id,image_link,price\n1,https://cdn.example/kept.jpg,{price} USD\n"
        open_writer(f"s3://{bucket}").put(key, feed.encode())
        assert aws.reindex(message, Context()) == {"batchItemFailures": []}
        manifest, _ = fetch_pointer(open_reader(shop.index))
        columns = Columns.read(open_writer(shop.index).get(manifest.path(PRODUCTS)).data)
        assert columns.product(manifest.count - 1) == {"id": "1", "price": {"value": price, "currency": "USD"}}


def test_a_late_event_changes_nothing(shop: Shop, aws: ModuleType) -> None:
    aws.reindex(event("sqs_s3_objects", shop.bucket), Context())
    pointer = open_writer(shop.index).get("current.json")
    assert aws.reindex(event("sqs_s3_objects", shop.bucket), Context()) == {"batchItemFailures": []}
    assert open_writer(shop.index).get("current.json") == pointer


def test_events_of_other_buckets_and_test_events_do_nothing(
    shop: Shop, aws: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.reindex.work.rebuild", None)  # calling it would be an error
    assert aws.reindex(event("sqs_s3_test_event", shop.bucket), Context()) == {"batchItemFailures": []}
    assert aws.reindex(event("sqs_s3_objects", "another-bucket"), Context()) == {"batchItemFailures": []}


def test_unreadable_messages_go_back_and_the_others_are_done(shop: Shop, aws: ModuleType, search: Handler) -> None:
    shop.photos.put("red shirt+1.jpg", photo("#800000"))
    result = aws.reindex(event("sqs_unreadable", shop.bucket), Context())
    failed = [failure["itemIdentifier"][-1] for failure in result["batchItemFailures"]]
    assert failed == ["0", "2", "3"]
    assert "red shirt+1.jpg" in search({**event("function_url_post_raw"), "rawQueryString": ""}).keys


@pytest.mark.parametrize(
    "body",
    [
        '{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": 7}}}]}',
        "[" * 100_000,
        '{"reindex": {"keys": null, "messages": Infinity}}',
    ],
)
def test_no_message_makes_the_others_fail(
    shop: Shop, aws: ModuleType, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr("functions.reindex.work.rebuild", None)
    records = [{"messageId": "odd", "body": body}, *event("sqs_s3_test_event", shop.bucket)["Records"]]
    assert aws.reindex({"Records": records}, Context()) == {"batchItemFailures": [{"itemIdentifier": "odd"}]}


def test_a_rebuild_that_fails_leaves_the_messages_in_the_queue(
    shop: Shop, aws: ModuleType, refused_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refused_url)
    with pytest.raises(StorageError):
        aws.reindex(event("sqs_s3_objects", shop.bucket), Context())


def test_the_schedule_finds_what_no_event_reported(shop: Shop, aws: ModuleType) -> None:
    shop.photos.put("new.jpg", photo("#800000"))
    shop.photos.put("broken.jpg", b"\xff\xd8\xff")
    summary = aws.reindex_scheduled(event("scheduled"), Context())
    counts = {name: summary[name] for name in ("outcome", "count", "added", "removed", "failed")}
    assert counts == {"outcome": "published", "count": 2, "added": 1, "removed": 2, "failed": 1}
    assert json.loads(json.dumps(summary)) == summary
    assert aws.reindex_scheduled(event("scheduled"), Context())["outcome"] == "unchanged"


def test_out_of_time_it_continues_by_a_message_to_its_queue(
    shop: Shop, aws: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = boto3.client("sqs")
    url = queue.create_queue(QueueName="gallery-changed")["QueueUrl"]
    monkeypatch.setenv("REINDEX_QUEUE_URL", url)
    for key in ("red shirt+1.jpg", "slash.jpg"):
        shop.photos.put(key, photo("#800000"))
    pointer = open_writer(shop.index).get("current.json")
    assert aws.reindex(event("sqs_s3_objects", shop.bucket), Context(0)) == {"batchItemFailures": []}
    assert open_writer(shop.index).get("current.json") == pointer
    (message,) = queue.receive_message(QueueUrl=url)["Messages"]
    record = {"messageId": message["MessageId"], "body": message["Body"]}
    assert aws.reindex({"Records": [record]}, Context(0)) == {"batchItemFailures": []}
    assert "Messages" not in queue.receive_message(QueueUrl=url)
    gallery = load_generation(open_reader(shop.index)).gallery
    assert isinstance(gallery, Gallery)
    assert set(gallery.keys) == {"kept.jpg", "red shirt+1.jpg", "slash.jpg"}


def test_the_schedule_continues_with_the_whole_gallery(
    shop: Shop, aws: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = boto3.client("sqs")
    url = queue.create_queue(QueueName="whole-gallery")["QueueUrl"]
    monkeypatch.setenv("REINDEX_QUEUE_URL", url)
    for key in ("a.jpg", "b.jpg"):
        shop.photos.put(key, photo("#800000"))
    assert aws.reindex_scheduled(event("scheduled"), Context(0))["outcome"] == "unfinished"
    (message,) = queue.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"reindex": {"keys": None, "messages": 1}}


def test_a_shard_out_of_time_says_so_and_is_asked_again(
    shop: Shop, aws: ModuleType, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REINDEX_QUEUE_URL", f"{s3_server.url}/123456789012/none")  # a message would be an error
    for key in ("a.jpg", "b.jpg"):
        shop.photos.put(key, photo("#800000"))
    asked = {"run": "first", "shard": "1/1"}
    assert [aws.reindex_scheduled(asked, Context(0))["outcome"] for _ in range(2)] == ["unfinished", "shard done"]
    merged = aws.reindex_scheduled({"run": "first"}, Context())
    assert (merged["outcome"], merged["added"], merged["embedded"]) == ("published", 2, 0)
    for wrong in ({"run": "first", "shard": "5/4"}, {"run": "a/b"}):
        with pytest.raises((ValueError, GalleryIndexError), match=r"not a shard|not a run id"):
            aws.reindex_scheduled(wrong, Context())


def test_work_that_cannot_continue_stays_in_the_queue(
    shop: Shop, aws: ModuleType, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REINDEX_QUEUE_URL", f"{s3_server.url}/123456789012/none")
    for key in ("red shirt+1.jpg", "slash.jpg"):
        shop.photos.put(key, photo("#800000"))
    with pytest.raises(ClientError):
        aws.reindex(event("sqs_s3_objects", shop.bucket), Context(0))

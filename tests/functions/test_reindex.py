"""The work of a re-index: what it takes on, how long it may take, and how it continues."""

import json
import math
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embeddings.rebuild import FeedOptions, Shard
from functions.reindex.continuation import MESSAGE_BYTES, MOST_MESSAGES, continue_later, from_message, to_message
from functions.reindex.events import ObjectEvent, gcs_event, s3_events, work_of, work_of_run
from functions.reindex.work import WHOLE_GALLERY, Work, bring_up_to_date, merged
from functions.settings import ReindexSettings
from tests.servers.s3 import S3Server


def test_the_gallerys_objects_are_picked_from_the_events() -> None:
    events = [
        ObjectEvent("shop", key)
        for key in ("photos/a.jpg", "photos/a.jpg", "photos/x/ü b.jpg", "photos/", "photos2/c.jpg")
    ]
    assert work_of([*events, ObjectEvent("other", "photos/d.jpg")], "s3://shop/photos") == Work(
        frozenset({"a.jpg", "x/ü b.jpg"})
    )
    assert work_of(events[:1], "gs://shop").keys == frozenset({"photos/a.jpg"})
    assert work_of([ObjectEvent("other", "a.jpg")], "s3://shop").empty


def test_an_event_of_the_feed_is_work_wherever_it_lies() -> None:
    feed = "s3://feeds/today/products.csv"
    written = ObjectEvent("feeds", "today/products.csv")
    others = [ObjectEvent("feeds", "today/other.csv"), ObjectEvent("shop", "today/products.csv")]
    assert work_of([written], "s3://shop/photos", feed) == Work(frozenset(), feed=True)
    assert work_of(others, "s3://shop/photos", feed).empty
    assert not work_of([ObjectEvent("shop", "photos/feed.csv")], "s3://shop/photos").empty
    work = merged([Work(frozenset({"a.jpg"})), Work(frozenset(), 3, feed=True)])
    assert work == Work(frozenset({"a.jpg"}), 3, feed=True)
    assert from_message(to_message(work)) == Work(frozenset({"a.jpg"}), 4, feed=True)
    assert not Work(frozenset(), feed=True).empty


RECORDS = json.dumps({"Records": [{"s3": {"bucket": {"name": "shop"}, "object": {"key": "a+b/%C3%BC.jpg"}}}]})
EVENTBRIDGE = json.dumps(
    {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {"bucket": {"name": "shop"}, "object": {"key": "a b/ü+%20.jpg"}},
    }
)


def wrapped(message: str) -> str:
    """Wrap a message as an SNS topic without raw message delivery hands it to a queue."""
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:shop", "Message": message})


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        (RECORDS, ["a b/ü.jpg"]),
        (wrapped(RECORDS), ["a b/ü.jpg"]),
        (EVENTBRIDGE, ["a b/ü+%20.jpg"]),
        (wrapped(EVENTBRIDGE), ["a b/ü+%20.jpg"]),
        (wrapped(json.dumps({"Event": "s3:TestEvent"})), []),
    ],
    ids=["notification", "through SNS", "EventBridge", "EventBridge through SNS", "test through SNS"],
)
def test_s3_events_come_in_several_shapes(message: str, keys: list[str]) -> None:
    assert s3_events(message) == [ObjectEvent("shop", key) for key in keys]


@pytest.mark.parametrize(
    "message", ["[]", "1", "null", wrapped("[]"), wrapped("x"), '{"detail": {}}', '{"Message": 1}']
)
def test_anything_else_is_not_a_notification(message: str) -> None:
    with pytest.raises(ValueError, match=r"S3 notification|Expecting value"):
        s3_events(message)


def test_a_cloud_storage_notification_through_pubsub_is_unwrapped() -> None:
    attributes = {"bucketId": "shop", "objectId": "a b/ü.jpg", "eventType": "OBJECT_FINALIZE"}
    data = {"message": {"attributes": attributes, "data": "e30=", "messageId": "1"}, "subscription": "s"}
    assert gcs_event(data) == ObjectEvent("shop", "a b/ü.jpg") == gcs_event({"bucket": "shop", "name": "a b/ü.jpg"})
    wrongs: list[dict[str, Any]] = [{"message": {}}, {"message": None}, {"bucket": "shop"}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="not a Cloud Storage event"):
            gcs_event(wrong)


def test_a_batch_is_one_piece_of_work() -> None:
    parts = [Work(frozenset({"a", "b"}), 3), Work(frozenset({"b", "c"})), Work(frozenset(), 1)]
    assert merged(parts) == Work(frozenset({"a", "b", "c"}), 3)
    assert merged([*parts, WHOLE_GALLERY]) == Work(None, 3)
    assert merged([]).empty
    assert not WHOLE_GALLERY.empty


def test_a_state_machine_asks_for_a_shard_or_for_the_merge() -> None:
    assert work_of_run({"run": "first", "shard": "3/16"}) == Work(None, run="first", shard=Shard(3, 16))
    assert work_of_run({"run": "first"}) == Work(None, run="first")
    assert work_of_run({"source": "aws.events", "detail": {}}) is None
    for shard in ("0/4", "x", None):
        with pytest.raises(ValueError, match="not a shard"):
            work_of_run({"run": "first", "shard": shard})


@pytest.mark.parametrize("keys", [None, frozenset({"a b/ü\ufffe😀.jpg", '"\\', "x"})])
def test_a_message_has_the_remaining_keys_and_the_length_of_its_chain(keys: frozenset[str] | None) -> None:
    message = to_message(Work(keys, 4))
    assert message.isascii(), "a queue takes not every character"
    assert from_message(message) == Work(keys, 5)


def test_more_keys_than_a_message_holds_are_the_whole_gallery() -> None:
    keys = frozenset(f"{number:05d}" for number in range(30_000))
    most = 26_200  # at 10 bytes each
    assert from_message(to_message(Work(frozenset(sorted(keys)[:most])))) == Work(frozenset(sorted(keys)[:most]), 1)
    assert from_message(to_message(Work(keys))) == Work(None, 1)
    assert len(to_message(Work(keys))) <= MESSAGE_BYTES
    umlauts = frozenset(f"{'ü' * 200}{number}" for number in range(1_000))  # 200 KB as UTF-8, more in ASCII
    assert len(to_message(Work(umlauts))) <= MESSAGE_BYTES


@pytest.mark.parametrize("body", ['{"Records": []}', "[]", '"reindex"', "7"])
def test_other_messages_are_not_its_own(body: str) -> None:
    assert from_message(body) is None


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "null",
        '{"keys": 7, "messages": 1}',
        '{"keys": []}',
        '{"keys": null, "messages": "x"}',
        '{"keys": null, "messages": Infinity}',
    ],
)
def test_a_damaged_message_is_unreadable(content: str) -> None:
    with pytest.raises(ValueError, match="message of the re-index to itself"):
        from_message(f'{{"reindex": {content}}}')


@pytest.mark.parametrize(
    ("seconds", "setting", "for_embedding"),
    [
        (900, "", 840),
        (120, "", 90),
        (900, "100", 75),
        (100, "900", 75),
        (math.inf, "540", 480),
        (math.inf, "", math.inf),
    ],
)
def test_time_is_kept_for_publishing(
    seconds: float, setting: str, for_embedding: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"INDEX_URI": "/index", "GALLERY_URI": "/photos", "VECTOR_BUCKET": "shop-vectors", "UNLISTED": "hide"}
    settings = ReindexSettings.read({**environment, "REINDEX_SECONDS": setting})
    asked: list[Any] = []

    def rebuild(gallery: str, index: str, *, stop_at: float, **options: Any) -> Any:
        asked.extend([gallery, index, stop_at - time.monotonic(), options])
        raise RuntimeError

    monkeypatch.setattr("functions.reindex.work.rebuild", rebuild)
    with pytest.raises(RuntimeError):
        bring_up_to_date(Work(frozenset({"a"})), settings, seconds)
    options: dict[str, Any] = {"keys": {"a"}, "run": None, "shard": None, "may_empty": True}
    options |= {"vector_bucket": "shop-vectors", "feed": FeedOptions(None, None, True)}
    assert asked == ["/photos", "/index", pytest.approx(for_embedding, abs=1), options]


def test_only_events_may_empty_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ReindexSettings.read({"INDEX_URI": "/index", "GALLERY_URI": "/photos"})
    asked: list[bool] = []

    def rebuild(*_: str, may_empty: bool, **__: Any) -> Any:
        asked.append(may_empty)
        raise RuntimeError

    monkeypatch.setattr("functions.reindex.work.rebuild", rebuild)
    for work in (WHOLE_GALLERY, Work(frozenset({"a"}))):
        with pytest.raises(RuntimeError):
            bring_up_to_date(work, settings)
    assert asked == [False, True]


class TestContinuing:
    @pytest.fixture
    def queue_url(self, s3_server: S3Server) -> str:
        url: str = boto3.client("sqs").create_queue(QueueName="reindex")["QueueUrl"]
        return url

    def messages(self, queue_url: str) -> list[str]:
        received = boto3.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        return [each["Body"] for each in received.get("Messages", [])]

    def test_by_one_message(self, queue_url: str) -> None:
        continue_later(Work(frozenset({"a.jpg"}), MOST_MESSAGES - 1), queue_url)
        (message,) = self.messages(queue_url)
        assert json.loads(message) == {"reindex": {"keys": ["a.jpg"], "messages": MOST_MESSAGES}}

    def test_the_chain_ends(self, queue_url: str, caplog: pytest.LogCaptureFixture) -> None:
        continue_later(Work(None, MOST_MESSAGES), queue_url)
        assert self.messages(queue_url) == []
        assert "after 10 messages; the rest waits for the schedule" in caplog.text

    def test_not_without_a_queue(self, caplog: pytest.LogCaptureFixture) -> None:
        continue_later(WHOLE_GALLERY, "")
        assert "waits for the schedule, as REINDEX_QUEUE_URL is not set" in caplog.text

    def test_a_message_that_cannot_be_sent_is_an_error(self, queue_url: str) -> None:
        """The event's messages then stay in the queue."""
        with pytest.raises(ClientError, match="does not exist"):
            continue_later(WHOLE_GALLERY, f"{queue_url}-gone")

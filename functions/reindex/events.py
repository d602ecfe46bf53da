"""The events that start a re-index, read into the work they ask for."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from embeddings.rebuild import Shard
from embeddings.rebuild.feed_file import located
from embeddings.storage.uri import StorageUri
from functions.reindex.work import Work


class ObjectEvent(NamedTuple):
    """An object was written or deleted."""

    bucket: str
    key: str


def s3_events(message: str) -> list[ObjectEvent]:
    """Read the body of a queue's message: what happened to objects in S3.

    The message comes from the bucket itself, through an SNS topic, or from EventBridge: a bucket that already notifies
    something else can only fan out. A notification quotes keys as a form does; EventBridge leaves them as they are. S3
    sends an `s3:TestEvent`, which names no object, when a notification is set up.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html

    Raises:
        ValueError: the message is none of these.
    """
    content = json.loads(message)
    try:
        if "Message" in content:  # from an SNS topic without raw message delivery
            content = json.loads(content["Message"])
        if content.get("Event") == "s3:TestEvent":
            return []
        if "detail" in content:
            detail = content["detail"]
            return [ObjectEvent(str(detail["bucket"]["name"]), str(detail["object"]["key"]))]
        return [
            ObjectEvent(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))
            for record in content["Records"]
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an S3 notification ({error!r})") from error


def gcs_event(data: Mapping[str, Any]) -> ObjectEvent:
    """Read the data of an event: what happened to an object in Cloud Storage. Names arrive unquoted.

    The event comes from the bucket (`google.cloud.storage.object.v1.*`), or from a notification through Pub/Sub
    (`google.cloud.pubsub.topic.v1.messagePublished`), in which attributes name the object.
    https://github.com/googleapis/google-cloudevents
    https://cloud.google.com/storage/docs/pubsub-notifications#attributes

    Raises:
        ValueError: the data is neither.
    """
    try:
        if "message" in data:
            attributes = data["message"]["attributes"]
            return ObjectEvent(str(attributes["bucketId"]), str(attributes["objectId"]))
        return ObjectEvent(str(data["bucket"]), str(data["name"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a Cloud Storage event ({error!r} is missing)") from error


def work_of(events: Iterable[ObjectEvent], gallery_uri: str, feed_uri: str = "") -> Work:
    """Pick the objects that are the gallery's, and the product feed, which may lie elsewhere.

    An event says that something happened, not what is there now: events come late, twice and out of order.
    """
    gallery = StorageUri.parse(gallery_uri)
    place = _folder(gallery)
    keys, feed = set(), False
    for event in events:
        feed = feed or (bool(feed_uri) and _is_feed(event, feed_uri))
        if event.bucket == gallery.bucket and event.key.startswith(place) and not event.key.endswith("/"):
            keys.add(event.key.removeprefix(place))
    return Work(frozenset(keys), feed=feed)


def _is_feed(event: ObjectEvent, feed_uri: str) -> bool:
    folder, name = located(feed_uri)
    return (event.bucket, event.key) == (folder.bucket, _folder(folder) + name)


def _folder(place: StorageUri) -> str:
    return f"{place.prefix}/" if place.prefix else ""


def work_of_run(event: Mapping[str, Any]) -> Work | None:
    """Read a state machine's event, {"run": "first", "shard": "3/16"}: a shard of a run, or without `shard` its merge.

    Returns:
        None for any other event.

    Raises:
        ValueError: there is no such shard.
    """
    if "run" not in event:
        return None
    shard = Shard.parse(str(event["shard"])) if "shard" in event else None
    return Work(None, run=str(event["run"]), shard=shard)

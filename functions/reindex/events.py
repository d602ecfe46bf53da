"""The events that start a re-index, read into the work they ask for."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from embeddings.rebuild import Shard
from embeddings.storage.uri import StorageUri
from functions.reindex.work import Work


class ObjectEvent(NamedTuple):
    """An object was written or deleted."""

    bucket: str
    key: str


def s3_events(message: str) -> list[ObjectEvent]:
    """Read an S3 notification, the body of a queue's message.

    The `s3:TestEvent` that S3 sends when the notification is set up has no records. Keys arrive quoted as in a form.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Raises:
        ValueError: this is not an S3 notification.
    """
    content = json.loads(message)
    if not isinstance(content, dict):
        raise ValueError("not an S3 notification")
    if content.get("Event") == "s3:TestEvent":
        return []
    try:
        return [
            ObjectEvent(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))
            for record in content["Records"]
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an S3 notification ({error!r})") from error


def gcs_event(data: Mapping[str, Any]) -> ObjectEvent:
    """Read the data of a Cloud Storage event (`google.cloud.storage.object.v1.*`), in which names arrive unquoted.

    https://github.com/googleapis/google-cloudevents

    Raises:
        ValueError: this is not a Cloud Storage event.
    """
    try:
        return ObjectEvent(str(data["bucket"]), str(data["name"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a Cloud Storage event ({error!r} is missing)") from error


def work_of(events: Iterable[ObjectEvent], gallery_uri: str) -> Work:
    """Pick the objects that are the gallery's.

    An event says that something happened, not what is there now: events come late, twice and out of order.
    """
    gallery = StorageUri.parse(gallery_uri)
    place = f"{gallery.prefix}/" if gallery.prefix else ""
    return Work(
        frozenset(
            event.key.removeprefix(place)
            for event in events
            if event.bucket == gallery.bucket and event.key.startswith(place) and not event.key.endswith("/")
        )
    )


def work_of_run(event: Mapping[str, Any]) -> Work | None:
    """Read a state machine's event: a shard of a run, {"run": "first", "shard": "3/16"}, or without `shard` its merge.

    Returns:
        None for any other event.

    Raises:
        ValueError: there is no such shard.
    """
    if "run" not in event:
        return None
    shard = Shard.parse(str(event["shard"])) if "shard" in event else None
    return Work(None, run=str(event["run"]), shard=shard)

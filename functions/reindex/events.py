"""What buckets say happened, in the clouds' own shapes."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus


class ObjectEvent(NamedTuple):
    """An object was written or deleted."""

    bucket: str
    key: str


def s3_events(message: str) -> list[ObjectEvent]:
    """Read an S3 notification, the body of a queue's message.

    The `s3:TestEvent` that S3 sends when the notification is set up has no records. Keys arrive quoted as in a form.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Raises:
        ValueError: not such a notification.
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
    """Read the data of a Cloud Storage event (`google.cloud.storage.object.v1.*`); names arrive as they are.

    https://github.com/googleapis/google-cloudevents

    Raises:
        ValueError: not such an event.
    """
    try:
        return ObjectEvent(str(data["bucket"]), str(data["name"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a Cloud Storage event ({error!r} is missing)") from error

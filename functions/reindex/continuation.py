"""Continuing on Lambda: a re-index that runs out of time sends a message to its own queue."""

import json
import logging

from functions.reindex.work import Work

MOST_MESSAGES = 10
"""The longest chain of messages. Lambda cuts loops through a queue at 16 invocations without telling the function:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""
MESSAGE_BYTES = 256 * 1024
"""The smallest limit of a queue; Amazon SQS had it until 2025."""
_NAME = "reindex"
_log = logging.getLogger(__name__)


def to_message(work: Work) -> str:
    """Write the message for unfinished work; if it cannot hold all keys, it asks for the whole gallery.

    It is ASCII, since a queue replaces some characters that keys may have.
    """
    keys = None if work.keys is None else sorted(work.keys)
    feed = {"feed": True} if work.feed else {}
    body = json.dumps({_NAME: {"keys": keys, "messages": work.messages + 1, **feed}})
    return body if len(body) <= MESSAGE_BYTES else to_message(Work(None, work.messages))


def from_message(body: str) -> Work | None:
    """Read what `to_message` wrote; return None for any other message.

    Raises:
        ValueError: it is not JSON, or a damaged message of ours.
    """
    content = json.loads(body)
    if not isinstance(content, dict) or _NAME not in content:
        return None
    try:
        keys, messages = content[_NAME]["keys"], content[_NAME]["messages"]
        feed = bool(content[_NAME].get("feed"))
        return Work(None if keys is None else frozenset(map(str, keys)), int(messages), feed=feed)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"not a message of the re-index to itself ({error!r})") from error


def continue_later(work: Work, queue_url: str) -> None:
    """Send the message; without a queue, or at the end of the chain, leave the rest to the schedule.

    Raises:
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: the message could not be sent.
    """
    if not queue_url:
        _log.warning("unfinished; the rest waits for the schedule, as REINDEX_QUEUE_URL is not set")
    elif work.messages >= MOST_MESSAGES:
        _log.warning("unfinished after %d messages; the rest waits for the schedule", work.messages)
    else:
        import boto3

        boto3.client("sqs").send_message(QueueUrl=queue_url, MessageBody=to_message(work))
        _log.info("unfinished; continues with message %d of at most %d", work.messages + 1, MOST_MESSAGES)

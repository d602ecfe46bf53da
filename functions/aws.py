"""Lambda handlers: `search` (HTTP API or function URL), `reindex` (queue), `reindex_scheduled`."""

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from functions.log import configure

if TYPE_CHECKING:
    from embeddings.rebuild import Summary
    from functions.reindex.work import Work
    from functions.settings import ReindexSettings

_log = logging.getLogger(__name__)


def search(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP request: payload format 2.0 of an HTTP API or a function URL."""
    return _http_handler()(event, context)


@cache
def _http_handler() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make the search application and its adapter to Lambda, once in a process."""
    from functions.search.cold_start import application  # isort: skip - first, as it starts fetching the index
    from apig_wsgi import make_lambda_handler

    return make_lambda_handler(application)


def reindex(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take S3 notifications, and the re-index's own messages, from a queue: one rebuild for the whole batch.

    The queue needs `ReportBatchItemFailures`: only messages that cannot be read go back to it, and in the end to the
    dead-letter queue. When the rebuild itself fails, the error leaves all of them in the queue and counts as one.
    """
    from functions.reindex.continuation import from_message
    from functions.reindex.work import merged
    from functions.settings import ReindexSettings

    settings = ReindexSettings.read(os.environ)
    parts, unreadable = [], []
    for record in event["Records"]:
        try:
            parts.append(from_message(record["body"]) or _work(record["body"], settings))
        except (RecursionError, ValueError) as error:
            _log.error("message %s: %s", record["messageId"], error)
            unreadable.append({"itemIdentifier": record["messageId"]})
    work = merged(parts)
    if not work.empty:
        _reindex(work, settings, context)
    return {"batchItemFailures": unreadable}


def _work(body: str, settings: "ReindexSettings") -> "Work":
    from functions.reindex.events import s3_events, work_of

    return work_of(s3_events(body), settings.gallery_uri, settings.feed_uri)


def reindex_scheduled(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Bring the whole index up to date; or, for a state machine, do one shard of a run, or merge its shards.

    A scheduled run that runs out of time continues by a message; a state machine reads `outcome` and asks again.
    """
    from functions.reindex.events import work_of_run
    from functions.reindex.work import WHOLE_GALLERY
    from functions.settings import ReindexSettings

    work = work_of_run(event) or WHOLE_GALLERY
    return _reindex(work, ReindexSettings.read(os.environ), context).counts()


def _reindex(work: "Work", settings: "ReindexSettings", context: Any) -> "Summary":
    from embeddings.rebuild import Outcome
    from functions.reindex.continuation import continue_later
    from functions.reindex.work import bring_up_to_date

    summary = bring_up_to_date(work, settings, context.get_remaining_time_in_millis() / 1000)
    if summary.outcome is Outcome.UNFINISHED and work.run is None:
        continue_later(work, settings.reindex_queue_url)
    return summary


configure()
if os.environ.get("_HANDLER", "").endswith(".search"):
    _http_handler()  # all imports now: Lambda gives a small function more processor at its start than for a request

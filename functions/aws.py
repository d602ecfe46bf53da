"""Lambda handlers: `search` (HTTP API or function URL), `reindex` (queue), `reindex_scheduled`."""

import logging
import os
from typing import TYPE_CHECKING, Any

from functions.log import configure

if TYPE_CHECKING:
    from embeddings.rebuild import Summary
    from functions.reindex.work import Work
    from functions.settings import ReindexSettings

configure()
if os.environ.get("_HANDLER", "").endswith(".search"):
    # Lambda gives the initialisation more processor than a small function's request; so all imports go there.
    import functions.search.cold_start  # noqa: F401

_log = logging.getLogger(__name__)


def search(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP request: payload format 2.0 of an HTTP API or a function URL."""
    from apig_wsgi import make_lambda_handler

    from functions.search.cold_start import application

    return make_lambda_handler(application)(event, context)


def reindex(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take S3 notifications, and the re-index's own messages, from a queue: one rebuild for the whole batch.

    Needs `ReportBatchItemFailures`: messages that cannot be read go back alone, and in the end to the dead-letter
    queue. When the rebuild itself fails, the error leaves all of them in the queue, and counts as one.
    """
    from functions.reindex.continuation import from_message
    from functions.reindex.events import s3_events, work_of
    from functions.reindex.work import merged
    from functions.settings import ReindexSettings

    settings = ReindexSettings.read(os.environ)
    parts, unreadable = [], []
    for record in event["Records"]:
        try:
            parts.append(from_message(record["body"]) or work_of(s3_events(record["body"]), settings.gallery_uri))
        except (RecursionError, ValueError) as error:
            _log.error("message %s: %s", record["messageId"], error)
            unreadable.append({"itemIdentifier": record["messageId"]})
    work = merged(parts)
    if not work.empty:
        _reindex(work, settings, context)
    return {"batchItemFailures": unreadable}


def reindex_scheduled(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Bring the whole index up to date; or, for a state machine, do a shard of a run, or merge its shards.

    Out of time, a schedule's run goes on by a message. A state machine reads `outcome`, and asks again.
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

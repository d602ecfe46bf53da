"""Lambda handlers: `search` (HTTP API or function URL), `reindex` (queue), `reindex_scheduled`."""

import logging
import os
from typing import Any

from functions.log import configure

configure()
if os.environ.get("_HANDLER", "").endswith(".search"):
    # Lambda gives the initialisation more processor than a small function's request; so all imports go there.
    import functions.start  # noqa: F401

_log = logging.getLogger(__name__)


def search(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an HTTP request: payload format 2.0 of an HTTP API or a function URL."""
    from apig_wsgi import make_lambda_handler

    from functions.start import application

    return make_lambda_handler(application)(event, context)


def reindex(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take S3 notifications from a queue. Needs `ReportBatchItemFailures`: unreadable messages go back one by one."""
    from functions.events import s3_events
    from functions.reindex import reindex_objects

    objects, unreadable = [], []
    for record in event["Records"]:
        try:
            objects += s3_events(record["body"])
        except ValueError as error:
            _log.error("message %s: %s", record["messageId"], error)
            unreadable.append({"itemIdentifier": record["messageId"]})
    reindex_objects(objects)
    return {"batchItemFailures": unreadable}


def reindex_scheduled(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Bring the whole index up to date."""
    from functions.reindex import reindex_all

    return reindex_all().counts()

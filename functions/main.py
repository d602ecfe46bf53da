"""functions-framework targets: `search` (HTTP), `reindex` (CloudEvent of a bucket), `reindex_scheduled` (HTTP)."""

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

# The framework puts this file's folder on the path, not the repository's root.
sys.path.insert(0, str(Path(__file__).parent.parent))

from functions.log import configure
from functions.settings import ReindexSettings

SENDING_SECONDS = 10.0
"""How long a client may take to read an answer. Ours fit into the network's buffers unless other answers fill them."""
_log = logging.getLogger(__name__)
configure()
if os.environ.get("FUNCTION_TARGET") == "search":
    import functions.search.cold_start  # noqa: F401 - imports at the start, not during the first request


@functions_framework.http
def search(request: Request) -> Response:
    """Answer an HTTP request."""
    from functions.search.cold_start import application

    response = Response.from_app(application, request.environ)
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        response.call_on_close(_cut_unless_sent(connection))
    return response


def _cut_unless_sent(connection: socket.socket) -> Callable[[], None]:
    """Start a clock that ends the connection: a client that does not read holds one of the server's threads.

    Returns:
        What stops the clock, to be called once the answer is sent.
    """

    def cut() -> None:
        with suppress(OSError):  # it is closed already
            connection.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(SENDING_SECONDS, cut)
    clock.daemon = True
    clock.start()
    return clock.cancel


@functions_framework.cloud_event
def reindex(event: CloudEvent) -> None:
    """Take a Cloud Storage event. Eventarc repeats it until the answer is success, which continues unfinished work."""
    from embeddings.rebuild import Outcome
    from functions.reindex.coalescing import bring_up_to_date_together
    from functions.reindex.events import gcs_event, work_of

    try:
        happened = gcs_event(event.data)
    except ValueError as error:
        _log.error("event %s: %s", event["id"], error)
        return  # a repetition would be no better
    settings = ReindexSettings.read(os.environ)
    work = work_of([happened], settings.gallery_uri, settings.feed_uri)
    if not work.empty and bring_up_to_date_together(work, settings).outcome is Outcome.UNFINISHED:
        raise ServiceUnavailable("unfinished; send the event again")


@functions_framework.http
def reindex_scheduled(_request: Request) -> tuple[dict[str, object], int]:
    """Bring the whole index up to date; an authenticated scheduler calls this, and again after a 503."""
    from embeddings.rebuild import Outcome
    from functions.reindex.work import WHOLE_GALLERY, bring_up_to_date

    summary = bring_up_to_date(WHOLE_GALLERY, ReindexSettings.read(os.environ))
    return summary.counts(), 503 if summary.outcome is Outcome.UNFINISHED else 200

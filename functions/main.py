"""functions-framework targets: `search` (HTTP), `reindex` (CloudEvent of a bucket), `reindex_scheduled` (HTTP)."""

import logging
import os
import sys
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

# The framework puts this file's folder on the path, not the repository's root.
sys.path.insert(0, str(Path(__file__).parent.parent))

from functions.log import configure
from functions.settings import Settings

_log = logging.getLogger(__name__)
configure()
if os.environ.get("FUNCTION_TARGET") == "search":
    import functions.search.cold_start  # noqa: F401 - so that imports belong to the start, not to the first request


@functions_framework.http
def search(request: Request) -> Response:
    """Answer an HTTP request."""
    from functions.search.cold_start import application
    from functions.search.sending import cut_unless_sent

    response = Response.from_app(application, request.environ)
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        response.call_on_close(cut_unless_sent(connection))
    return response


@functions_framework.cloud_event
def reindex(event: CloudEvent) -> None:
    """Take a Cloud Storage event. Eventarc sends it again unless the answer is success: so unfinished work goes on."""
    from embeddings.rebuild import Outcome
    from functions.reindex.coalescing import bring_up_to_date_together
    from functions.reindex.events import gcs_event
    from functions.reindex.work import work_of

    try:
        happened = gcs_event(event.data)
    except ValueError as error:
        _log.error("event %s: %s", event["id"], error)
        return  # it would be the same the next time
    settings = Settings.for_reindex(os.environ)
    work = work_of([happened], settings.gallery_uri)
    if not work.empty and bring_up_to_date_together(work, settings).outcome is Outcome.UNFINISHED:
        raise ServiceUnavailable("unfinished; to be sent again")


@functions_framework.http
def reindex_scheduled(_request: Request) -> tuple[dict[str, object], int]:
    """Bring the whole index up to date; an authenticated scheduler calls this, and again if the answer is 503."""
    from embeddings.rebuild import Outcome
    from functions.reindex.work import WHOLE_GALLERY, bring_up_to_date

    summary = bring_up_to_date(WHOLE_GALLERY, Settings.for_reindex(os.environ))
    return summary.counts(), 503 if summary.outcome is Outcome.UNFINISHED else 200

"""functions-framework targets: `search` (HTTP), `reindex` (CloudEvent of a bucket), `reindex_scheduled` (HTTP)."""

import os
import sys
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request
from werkzeug.wrappers import Response

# The framework puts this file's folder on the path, not the repository's root.
sys.path.insert(0, str(Path(__file__).parent.parent))

from functions.log import configure

configure()
if os.environ.get("FUNCTION_TARGET") == "search":
    import functions.start  # noqa: F401 - so that imports belong to the start, not to the first request


@functions_framework.http
def search(request: Request) -> Response:
    """Answer an HTTP request."""
    from functions.start import application

    return Response.from_app(application, request.environ)


@functions_framework.cloud_event
def reindex(event: CloudEvent) -> None:
    """Take a Cloud Storage event."""
    from functions.events import gcs_event
    from functions.reindex import reindex_objects

    reindex_objects([gcs_event(event.data)])


@functions_framework.http
def reindex_scheduled(_request: Request) -> dict[str, object]:
    """Bring the whole index up to date; an authenticated scheduler calls this."""
    from functions.reindex import reindex_all

    return reindex_all().counts()

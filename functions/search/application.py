"""The WSGI application: finds the route, and adds to its answer what every answer has."""

import json
import logging
from collections.abc import Iterable
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from functions.log import FIELDS
from functions.search.admission import Gate
from functions.search.api_docs import Document
from functions.search.cors import cors_headers
from functions.search.current_generation import CurrentGeneration
from functions.search.problems import Problem, RequestError, problem_of
from functions.search.request import NotModifiedError, Request
from functions.search.routes import Routes
from functions.settings import SearchSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NO_STORE = {"Cache-Control": "no-store"}
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Application:
    """Stateless but for the generation in memory; safe to call from several threads."""

    def __init__(self, settings: SearchSettings, current: CurrentGeneration, gate: Gate) -> None:
        self._gate = gate
        self._origins = settings.cors_origins
        self._base_path = settings.base_path
        self._routes = Routes(settings, current).table

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, whatever happens; see PEP 3333."""
        failure: Exception | None = None
        # The request is left first and reads its body to the end. It keeps its place until then, or clients that send
        # slowly would hold more threads than there are places.
        with ExitStack() as place, Request(environ, self._base_path) as request:
            try:
                answer = self._answer(request, place)
            except Exception as error:  # noqa: BLE001 - every error has an answer
                failure = error
                answer = _problem_answer(problem_of(error))
        headers = {
            **answer.headers,
            **cors_headers(request.origin, self._origins, preflight=request.method == "OPTIONS"),
            "Server-Timing": request.timing.header(),
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request.id,
        }
        if answer.status not in _BODILESS:
            headers["Content-Length"] = str(len(answer.body))
        self._record(request, answer.status, failure)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [] if request.method == "HEAD" else [answer.body]

    def _answer(self, request: Request, place: ExitStack) -> _Answer:
        """Make the answer, or raise an error for `problem_of`; a place in the gate goes into `place`."""
        route = self._routes.get(request.path)
        if route is None:
            detail = f"The routes are {', '.join(self._routes)}; /docs explains them."
            raise RequestError(404, "route-unknown", "No such route", detail)
        allow = {"Allow": ", ".join(route.allowed)}
        if request.method == "OPTIONS":
            return _Answer(HTTPStatus.NO_CONTENT, {**allow, **_NO_STORE}, b"")
        if request.path == "/" and request.method in ("GET", "HEAD") and request.wants_page:
            return _Answer(HTTPStatus.FOUND, {"Location": request.docs, **_NO_STORE}, b"")
        if request.method not in route.allowed:
            detail = f"{request.path} accepts {allow['Allow']}; /docs explains it."
            raise RequestError(405, "method-not-allowed", "Wrong method", detail, allow)
        if route.limited:
            place.enter_context(self._gate.admit())
        try:
            content = route.answer(request)
        except NotModifiedError:
            return _Answer(HTTPStatus.NOT_MODIFIED, request.kept, b"")
        if not isinstance(content, Document):
            content = Document(json.dumps(content).encode(), {"Content-Type": "application/json"})
        return _Answer(HTTPStatus.OK, {**content.headers, **request.kept}, content.body)

    def _record(self, request: Request, status: int, failure: Exception | None) -> None:
        """Log one line. It leaves out names and parameters that a client chose, and messages about them."""
        fields = {
            "request_id": request.id,
            "method": request.method,
            # An unknown path is whatever a stranger types.
            "route": request.path if request.path in self._routes else "unknown",
            "status": status,
            "ms": request.timing.milliseconds(),
            "generation": request.generation,
        }
        if failure is not None:
            fields["problem"] = problem_of(failure).slug
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.info("request", extra={FIELDS: fields})
        else:
            stack = failure if status == HTTPStatus.INTERNAL_SERVER_ERROR else None
            _log.error("request", exc_info=stack, extra={FIELDS: {**fields, "error": str(failure)}})


def _problem_answer(problem: Problem) -> _Answer:
    headers = {"Content-Type": "application/problem+json", **_NO_STORE, **problem.headers}
    return _Answer(problem.status, headers, problem.body())

"""The WSGI application: finds the route, and puts around its answer what every answer has."""

import json
import logging
import re
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from functions.current import CurrentGeneration
from functions.log import FIELDS
from functions.problems import Problem, RequestError, problem_of
from functions.routes import Request, Routes
from functions.settings import Settings
from functions.timing import Timing

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_MAX_QUERY_FIELDS = 50
_REQUEST_ID = re.compile(r"[A-Za-z0-9._=-]{1,100}")
_JSON = "application/json"
_log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Application:
    """Stateless but for the generation in memory; safe to call from several threads."""

    def __init__(self, settings: Settings, current: CurrentGeneration) -> None:
        self._origins = settings.cors_origins
        self._current = current
        self._routes = Routes(settings, current).table

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, whatever happens; see PEP 3333."""
        timing = Timing()
        request_id = _request_id(environ)
        try:
            answer = self._answer(environ, timing)
        except Exception as error:  # noqa: BLE001 - every error has an answer
            answer = _problem_answer(problem_of(error))
            if answer.status >= 500:
                _log.error("%s", error, exc_info=answer.status == 500, extra={FIELDS: {"request_id": request_id}})
        headers = {
            **answer.headers,
            **self._cors(environ),
            "Content-Length": str(len(answer.body)),
            "Server-Timing": timing.header(),
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": request_id,
        }
        self._log_request(environ, answer.status, timing, request_id)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: "WSGIEnvironment", timing: Timing) -> _Answer:
        handlers = self._routes.get(environ.get("PATH_INFO") or "/")
        if handlers is None:
            routes = ", ".join(self._routes)
            raise RequestError(404, "route-unknown", "No such route", f"This service has {routes}.")
        method = environ["REQUEST_METHOD"]
        allowed = ", ".join([*handlers, *(["HEAD"] if "GET" in handlers else []), "OPTIONS"])
        if method == "OPTIONS":
            return _Answer(204, {"Allow": allowed, "Cache-Control": "no-store"}, b"")
        handler = handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            detail = f"This route answers {allowed}."
            raise RequestError(405, "method-not-allowed", "Wrong method", detail, {"Allow": allowed})
        content = handler(Request(environ, _query(environ), timing))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return _Answer(200, {"Content-Type": _JSON, "Cache-Control": "no-store"}, body)

    def _cors(self, environ: "WSGIEnvironment") -> dict[str, str]:
        """https://fetch.spec.whatwg.org/#http-cors-protocol; errors need it too, or the page cannot read them."""
        headers = {}
        origin = environ.get("HTTP_ORIGIN", "")
        if self._origins == ("*",):
            allowed = "*"
        else:
            headers["Vary"] = "Origin"
            allowed = origin if origin in self._origins else ""
        if allowed:
            headers["Access-Control-Allow-Origin"] = allowed
            headers["Access-Control-Expose-Headers"] = "Retry-After, Server-Timing, X-Request-Id"
            headers["Timing-Allow-Origin"] = allowed
            if environ["REQUEST_METHOD"] == "OPTIONS":
                headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
                headers["Access-Control-Allow-Headers"] = "Content-Type, X-Request-Id"
                headers["Access-Control-Max-Age"] = "86400"
        return headers

    def _log_request(self, environ: "WSGIEnvironment", status: int, timing: Timing, request_id: str) -> None:
        path = environ.get("PATH_INFO") or "/"
        generation = self._current.generation
        fields = {
            "request_id": request_id,
            "method": environ["REQUEST_METHOD"],
            # Only known paths: others are whatever a stranger types.
            "route": path if path in self._routes else "unknown",
            "status": status,
            "ms": timing.milliseconds(),
            "generation": generation and generation.manifest.generation,
        }
        _log.info("request", extra={FIELDS: fields})


def _problem_answer(problem: Problem) -> _Answer:
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **problem.headers}
    return _Answer(problem.status, headers, problem.body())


def _query(environ: "WSGIEnvironment") -> dict[str, str]:
    """The query parameters; of a repeated one the last counts."""
    try:
        return dict(
            parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
        )
    except ValueError as error:
        detail = f"The query has more than {_MAX_QUERY_FIELDS} parameters."
        raise RequestError(400, "parameter-invalid", "Too many parameters", detail) from error


def _request_id(environ: "WSGIEnvironment") -> str:
    """The gateway's, else the client's, else a new one."""
    context = environ.get("apig_wsgi.request_context", {})
    given = context.get("requestId") or environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex

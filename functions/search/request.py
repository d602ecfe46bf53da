"""A request as the application and its routes see it."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from functions.search.body import Body
from functions.search.given import Given
from functions.search.problems import RequestError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MAX_QUERY_FIELDS = 50
_ID = re.compile(r"[A-Za-z0-9._=-]{1,100}")


class NotModifiedError(Exception):
    """The client has this answer already; `Request.kept` are the headers to say so with."""


class Timing:
    """How long each step of a request took; a step entered twice adds up."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block under `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._steps[name] = self._steps.get(name, 0.0) + (time.perf_counter() - started) * 1e3

    def milliseconds(self) -> dict[str, float]:
        """Return the milliseconds of each step, and of everything so far as `total`."""
        total = (time.perf_counter() - self._started) * 1e3
        return {name: round(spent, 2) for name, spent in [*self._steps.items(), ("total", total)]}

    def header(self) -> str:
        """Format the steps for Server-Timing, https://www.w3.org/TR/server-timing/."""
        return ", ".join(f"{name};dur={spent}" for name, spent in self.milliseconds().items())


class Request:
    """One HTTP request, and what is noted while it is being answered; leaving it as a context ends its body."""

    def __init__(self, environ: "WSGIEnvironment", base_path: str = "") -> None:
        """Cut `base_path` off the path, and then the name of API Gateway's stage if it has one."""
        self.method: str = environ["REQUEST_METHOD"]
        stage = environ.get("apig_wsgi.request_context", {}).get("stage", "$default")
        path = _below(base_path, environ.get("PATH_INFO") or "/")
        self.path: str = path if stage == "$default" else _below(f"/{stage}", path)
        self.wants_page: bool = "text/html" in environ.get("HTTP_ACCEPT", "")
        """Whether a browser is opening the address; other clients take anything."""
        self.docs: str = f"{(environ.get('PATH_INFO') or '/').rstrip('/')}/docs"
        """The address of the documents, seen from the root of the service."""
        self.origin: str = environ.get("HTTP_ORIGIN", "")
        self.content_type: str = environ.get("CONTENT_TYPE") or ""
        self.body = Body(environ)
        self.id = _request_id(environ)
        self.timing = Timing()
        self.generation: str | None = None
        """The generation of the index that answers; None until a route takes one."""
        self.kept: dict[str, str] = {"Cache-Control": "no-store"}
        """The headers that say how long the answer may be kept."""
        self._query_string: str = environ.get("QUERY_STRING") or ""
        self._known: str = environ.get("HTTP_IF_NONE_MATCH", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.discard()

    def keep(self, seconds: int, *identity: object) -> None:
        """Let browsers and CDNs keep the answer for `seconds`; two answers with the same `identity` are alike.

        The ETag is weak, since signed URLs make each answer's bytes differ: https://www.rfc-editor.org/rfc/rfc9110#name-etag

        Raises:
            NotModifiedError: the client has such an answer.
        """
        etag = f'"{sha256(repr(identity).encode()).hexdigest()[:32]}"'
        self.kept = {"Cache-Control": f"public, max-age={seconds}", "ETag": f"W/{etag}"}
        if etag in (each.strip().removeprefix("W/") for each in self._known.split(",")):
            raise NotModifiedError

    @cached_property
    def query(self) -> Given:
        """The query parameters; the last one wins where a name is repeated.

        Raises:
            RequestError: 400, there are too many.
        """
        try:
            return Given(parse_qsl(self._query_string, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS))
        except ValueError as error:
            detail = f"The query has more than {_MAX_QUERY_FIELDS} parameters."
            raise RequestError(400, "parameter-invalid", "Too many parameters", detail) from error


def _below(base: str, path: str) -> str:
    """Cut `base` off a path that lies under it."""
    return path.removeprefix(base) or "/" if f"{path}/".startswith(f"{base}/") else path


def _request_id(environ: "WSGIEnvironment") -> str:
    """Take the gateway's id, else the client's, else make one."""
    context = environ.get("apig_wsgi.request_context", {})
    given = context.get("requestId") or environ.get("HTTP_X_REQUEST_ID", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)

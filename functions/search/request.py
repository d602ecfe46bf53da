"""A request, as the application and its routes see it."""

import re
import secrets
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from functions.search.body import Body
from functions.search.problems import RequestError
from functions.search.timing import Timing

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MAX_QUERY_FIELDS = 50
_ID = re.compile(r"[A-Za-z0-9._=-]{1,100}")


class Request:
    """What was asked, and what is noted down while it is answered."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO") or "/"
        self.origin: str = environ.get("HTTP_ORIGIN", "")
        self.content_type: str = environ.get("CONTENT_TYPE") or ""
        self.body = Body(environ)
        self.id = _request_id(environ)
        self.timing = Timing()
        self.generation: str | None = None
        """Of the index, by which it is answered."""
        self._query_string: str = environ.get("QUERY_STRING") or ""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated one the last counts.

        Raises:
            RequestError: 400, there are too many.
        """
        try:
            return dict(parse_qsl(self._query_string, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS))
        except ValueError as error:
            detail = f"The query has more than {_MAX_QUERY_FIELDS} parameters."
            raise RequestError(400, "parameter-invalid", "Too many parameters", detail) from error


def _request_id(environ: "WSGIEnvironment") -> str:
    """The gateway's, else the client's, else a new one."""
    context = environ.get("apig_wsgi.request_context", {})
    given = context.get("requestId") or environ.get("HTTP_X_REQUEST_ID", "")
    return given if _ID.fullmatch(given) else secrets.token_hex(16)

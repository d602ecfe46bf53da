"""A client of the running service that checks every answer against functions/search/openapi.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_NOT_DESCRIBED = {"allow", "connection", "content-length", "content-type", "date", "server"}
"""Headers of HTTP itself; `Allow` is described under 405 alone."""
OPENAPI = Path(__file__).parents[2] / "functions" / "search" / "openapi.json"
_BOUNDARY = "----tests-boundary"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value; fail if it was sent twice, since adapters would fold it."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def keys(self) -> list[str]:
        return [result["key"] for result in self.json["results"]]

    @property
    def problem(self) -> tuple[int, str]:
        """The status and the slug."""
        assert self.header("Content-Type") == "application/problem+json", self.body
        assert self.json["status"] == self.status
        return self.status, self.json["type"].removeprefix("urn:garment-search:")


class Client:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes | Any = None, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}), **options)
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()
        check_contract(method, path.partition("?")[0], answer)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, headers)

    def upload(self, path: str, photo: bytes, *, field: str = "file", **fields: str) -> Answer:
        body, headers = form(photo, field=field, **fields)
        return self.ask("POST", path, body, headers)

    def send(self, path: str, photo: bytes, content_type: str = "image/jpeg") -> Answer:
        """Send the photo as the whole body."""
        return self.ask("POST", path, photo, {"Content-Type": content_type})


def form(photo: bytes, *, field: str = "file", **fields: str) -> tuple[bytes, dict[str, str]]:
    """Make a multipart body and its headers; the photo comes last."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="private name.jpg"\r\n'
    parts += [f"{head}Content-Type: image/jpeg\r\n\r\n".encode(), photo, f"\r\n--{_BOUNDARY}--\r\n".encode()]
    return b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


@cache
def openapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(OPENAPI.read_text())
    return document


def check_contract(method: str, path: str, answer: Answer) -> None:
    """Check that openapi.json declares the answer's status, content type, headers and body."""
    for name, _ in answer.headers:
        answer.header(name)
    if method in ("HEAD", "OPTIONS"):
        assert answer.body == b""
        return
    declared = openapi()["paths"].get(path, {}).get(method.lower())
    if declared is None:
        name = {404: "NotFound", 405: "MethodNotAllowed"}[answer.status]
        response = openapi()["components"]["responses"][name]
    else:
        response = _resolved(declared["responses"][str(answer.status)])
    content_type = answer.header("Content-Type")
    if "content" in response:
        assert content_type is not None
        schema = response["content"][content_type]["schema"]
        assert errors(answer.json if "json" in content_type else answer.body.decode(), schema) == []
    else:
        assert (content_type, answer.header("Content-Length"), answer.body) == (None, None, b"")
    headers = {name.lower(): _resolved(header) for name, header in response["headers"].items()}
    assert {name.lower() for name, _ in answer.headers} - set(headers) <= _NOT_DESCRIBED
    for name, header in headers.items():
        value = answer.header(name)
        if value is None:
            assert not header.get("required"), f"{name} is missing"
        else:
            assert errors(int(value) if header["schema"].get("type") == "integer" else value, header["schema"]) == []


def errors(value: Any, schema: dict[str, Any]) -> list[str]:
    """List how a value breaks a schema of openapi.json."""
    # The document is the root, so that references into its components are found.
    return [str(error) for error in Draft202012Validator({**openapi(), **schema}).iter_errors(value)]


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found = openapi()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part

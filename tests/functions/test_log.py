"""The log: one line for each request, without anything that a client sent."""

import json
import logging

from functions.log import FIELDS, JsonFormatter
from tests.functions.conftest import Service
from tests.photos import photo


def test_one_line_for_each_request(service: Service) -> None:
    answer = service.ask("POST", "/", photo("red"), {"Content-Type": "image/jpeg", "X-Request-Id": "the-search"})
    (record,) = service.records("the-search")
    assert record["severity"] == "INFO"
    assert (record["method"], record["route"], record["status"]) == ("POST", "/", 200)
    assert list(record["ms"]) == ["upload", "decode", "index", "embed", "search", "total"]
    assert sum(record["ms"].values()) <= 2 * record["ms"]["total"]
    assert record["generation"] == service.get("/v1/index").json["generation"]
    assert answer.header("X-Request-Id") == "the-search"


def test_refusals_are_logged_with_their_problem(service: Service) -> None:
    service.get("/v1/similar?key=nothing", **{"X-Request-Id": "the-refusal"})
    (record,) = service.records("the-refusal")
    assert (record["status"], record["problem"], record["severity"]) == (404, "key-unknown", "INFO")


def test_nothing_a_client_sent_is_logged(service: Service) -> None:
    """Names of photos, keys and paths may be private; the form helper names its file `private name.jpg`."""
    service.upload("/v1/search?note=private-query", photo("red"), note="private-field")
    service.upload("/v1/search", b"private content")
    service.get("/v1/similar?key=private-key")
    service.get("/private-path?private=1")
    service.get(
        "/healthz", **{"User-Agent": "private-agent", "X-Request-Id": "private id", "Origin": "https://private"}
    )
    log = service.log.read_text()
    assert "private" not in log
    assert "key-unknown" in log


def test_a_client_cannot_begin_a_line(service: Service) -> None:
    before = len(service.records())
    for path in ("/%0A%7B%22severity%22:%22ERROR%22%7D", "/%E2%80%A8x", "/%0D"):
        service.get(path)
    service.get("/healthz", **{"X-Request-Id": 'x"} {"severity": "ERROR'})
    records = service.records()[before:]
    assert [record["route"] for record in records] == ["unknown"] * 3 + ["/healthz"]
    assert "ERROR" not in {record["severity"] for record in records}


def test_errors_carry_their_stack_in_the_same_line() -> None:
    try:
        raise RuntimeError("first\nsecond\u2028third")
    except RuntimeError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("functions", logging.ERROR, "file", 1, "broken %s", ("a\nb",), info)
    setattr(record, FIELDS, {"status": 500})
    line = JsonFormatter().format(record)
    assert line.isascii()  # no line break of any kind, such as U+2028
    assert "\n" not in line
    parsed = json.loads(line)
    assert (parsed["severity"], parsed["message"], parsed["status"]) == ("ERROR", "broken a\nb", 500)
    assert "RuntimeError: first\nsecond\u2028third" in parsed["stack"]

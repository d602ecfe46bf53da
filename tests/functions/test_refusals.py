"""The running server's answers to wrong requests."""

import re
import socket

import pytest

from tests.functions.conftest import Service
from tests.functions.http_client import form
from tests.photos import huge_png, padded_jpeg, photo

RED = photo("#800000")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", (400, "photo-empty"), id="empty"),
        pytest.param(b"Dear customer, your order ...\n", (415, "photo-unsupported"), id="text"),
        pytest.param(b"GIF89a" + bytes(100), (415, "photo-unsupported"), id="gif"),
        pytest.param(RED[: len(RED) // 2], (422, "photo-broken"), id="truncated jpeg"),
        pytest.param(RED[:3], (422, "photo-broken"), id="three bytes of a jpeg"),
        pytest.param(photo("red", format="PNG")[:300], (422, "photo-broken"), id="truncated png"),
        pytest.param(photo("red", format="WEBP")[:60], (422, "photo-broken"), id="truncated webp"),
        pytest.param(huge_png(), (413, "photo-too-large"), id="60 MP png"),
        pytest.param(padded_jpeg(12_000_000), (413, "photo-too-large"), id="12 MB jpeg"),
        pytest.param(padded_jpeg(10_000_001), (413, "photo-too-large"), id="one byte too many"),
    ],
)
def test_photos(service: Service, content: bytes, problem: tuple[int, str]) -> None:
    in_form, alone = service.upload("/", content), service.send("/v1/search", content)
    assert in_form.problem == alone.problem == problem
    assert re.fullmatch(r"[A-Z].{20,}[^.]\.", in_form.json["detail"])


def test_a_photo_of_just_the_allowed_size(service: Service) -> None:
    largest = padded_jpeg(10_000_000)
    assert service.upload("/", largest).status == service.send("/", largest).status == 200


def test_the_details_say_what_and_how_much(service: Service) -> None:
    assert "10000 x 6000 pixels" in service.upload("/", huge_png()).json["detail"]
    assert "10,000,000" in service.upload("/", padded_jpeg(10_000_001)).json["detail"]
    assert "JPEG, PNG or WebP" in service.upload("/", b"text").json["detail"]


@pytest.mark.parametrize("path", ["/", "/v1/search", "/random", "/nowhere"])
@pytest.mark.parametrize("content_type", ["image/jpeg", "application/json", "multipart/form-data; boundary=x"])
def test_a_client_that_sends_too_much_still_hears_why(service: Service, path: str, content_type: str) -> None:
    """A server that closes with unread bytes resets the connection, and the answer is lost."""
    headers = {"Content-Type": content_type, "Connection": "close"}
    assert service.ask("POST", path, bytes(12_000_000), headers).status in (404, 405, 413, 415)


@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/form-data; boundary=x"])
def test_too_much_in_chunks(service: Service, content_type: str) -> None:
    head = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' if "x" in content_type[-1] else b""
    )
    chunks = iter([head, *[bytes(1_000_000)] * 14])
    headers = {"Content-Type": content_type, "Connection": "close"}
    assert service.ask("POST", "/", chunks, headers, encode_chunked=True).problem == (413, "photo-too-large")


def test_field_names(service: Service) -> None:
    wrong = service.upload("/", RED, field="photo")
    assert wrong.problem == (400, "field-missing")
    assert "'file'" in wrong.json["detail"]


def multipart(service: Service, body: bytes, content_type: str = "multipart/form-data; boundary=b") -> tuple[int, str]:
    answer = service.ask("POST", "/v1/search", body, {"Content-Type": content_type})
    return answer.problem if answer.status != 200 else (200, "")


def part(headers: bytes, content: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + headers + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(b"", (400, "body-malformed"), id="nothing"),
        pytest.param(b"--b--\r\n", (400, "field-missing"), id="no parts"),
        pytest.param(part(b'name="file"; filename="x"', RED), (400, "body-malformed"), id="no end"),
        pytest.param(part(b'name="file"', RED) + b"--b--", (200, ""), id="no file name"),
        pytest.param(part(b'name="file"; filename=""', b"") + b"--b--", (400, "photo-empty"), id="no file chosen"),
        pytest.param(
            part(b'name="file"', RED) + part(b'name="file"', b"second") + b"--b--",
            (200, ""),
            id="first file counts",
        ),
        pytest.param(
            part(b'name="k"', b"0") + part(b'name="file"', RED) + b"--b--", (400, "parameter-invalid"), id="field"
        ),
        pytest.param(part(b'name="k"', b"\xff") + b"--b--", (400, "body-malformed"), id="not UTF-8"),
        pytest.param(
            part(b'name="k"\r\nContent-Type: text/plain; charset=klingon', b"1") + b"--b--",
            (400, "body-malformed"),
            id="no such character set",
        ),
        pytest.param(part(b'name="x"', b"") * 40 + b"--b--", (400, "body-malformed"), id="too many parts"),
        pytest.param(
            part(b'name="file"', RED) + part(b'name="second"; filename="x"', bytes(50_000)) + b"--b--",
            (200, ""),
            id="another file",
        ),
        pytest.param(part(b'name="file"; filename="\xff"', RED) + b"--b--", (200, ""), id="file name not in UTF-8"),
    ],
)
def test_forms(service: Service, body: bytes, problem: tuple[int, str]) -> None:
    assert multipart(service, body) == problem


@pytest.mark.parametrize(
    ("content_type", "problem"),
    [
        ("multipart/form-data", (400, "body-malformed")),
        ('multipart/form-data; boundary="b"', (200, "")),
        ("Multipart/Form-Data; Boundary=b", (200, "")),
        ("multipart/form-data; boundary=ü", (400, "body-malformed")),
        ("multipart/mixed; boundary=b", (415, "body-unsupported")),
        ("application/x-www-form-urlencoded", (415, "body-unsupported")),
        ("application/json", (415, "body-unsupported")),
        ("", (415, "body-unsupported")),
        (";", (415, "body-unsupported")),
    ],
)
def test_content_types(service: Service, content_type: str, problem: tuple[int, str]) -> None:
    body = part(b'name="file"; filename="x.jpg"', RED) + b"--b--\r\n"
    assert multipart(service, body, content_type) == problem


@pytest.mark.parametrize(
    "query",
    [
        *("k=0", "k=101", "k=abc", "k=-1", "k=1.5", "k=%D9%A1", "k=1e1", "k=9999999999999999999", "k=%201"),
        *("offset=-1", "offset=1000", "offset=985", "offset=x", "k=100&offset=901"),
        *("min_score=1.01", "min_score=-1.1", "min_score=nan", "min_score=inf", "min_score=0_5", "min_score=x"),
        *("dedupe=-0.1", "dedupe=1.1", "dedupe=NaN", "dedupe=."),
    ],
)
def test_parameters(service: Service, query: str) -> None:
    answers = [service.upload(f"/v1/search?{query}", RED)]
    answers += [service.get(f"/v1/similar?key=coats/0.jpg&{query}"), service.get(f"/v1/random?{query}")]
    assert [answer.problem for answer in answers] == [(400, "parameter-invalid")] * 3
    assert query.split("&")[-1].partition("=")[0] in answers[0].json["detail"]


@pytest.mark.parametrize(
    "box",
    [
        *("1", "0,0,1", "0,0,1,1,1", "a,b,c,d", "0,0,,1", "0;0;1;1", "nan,0,1,1", "0,0,inf,1"),
        *("-0.1,0,1,1", "0,0,1.01,1", "0.5,0,0.6,1", "0,0.9,1,0.2", "0,0,0,1", "0,0,0.009,1", "1,1,0.01,0.01"),
    ],
)
def test_boxes(service: Service, box: str) -> None:
    answer = service.upload(f"/v1/search?box={box}", RED)
    assert answer.problem == (400, "parameter-invalid")
    assert "x,y,w,h" in answer.json["detail"]


@pytest.mark.parametrize("box", ["0.99,0.99,0.01,0.01", "0.3,0.1,0.7000001,0.9", " 0, 0, 1, 1 "])
def test_boxes_at_the_edge(service: Service, box: str) -> None:
    assert service.upload("/v1/search", RED, box=box).status == 200


def test_too_many_parameters(service: Service) -> None:
    assert service.get("/v1/random?" + "&".join(f"a{n}=1" for n in range(51))).problem == (400, "parameter-invalid")


@pytest.mark.parametrize("key", ["nothing.jpg", "../secret", "coats", "coats/0.jpg/", "/coats/0.jpg", "%FF", "a%00b"])
def test_unknown_keys(service: Service, key: str) -> None:
    assert service.get(f"/v1/similar?key={key}").problem == (404, "key-unknown")


def test_a_key_must_be_given(service: Service) -> None:
    assert service.get("/v1/similar").problem == service.get("/v1/similar?key=").problem == (400, "parameter-invalid")


def test_random_in_an_empty_folder(service: Service) -> None:
    assert service.get("/v1/random?prefix=nothing").problem == (404, "gallery-empty")


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/v1/search/", "/%00", "/v1/%73earch%2F", "/<script>"])
def test_unknown_routes(service: Service, path: str) -> None:
    answer = service.get(path)
    assert answer.problem == (404, "route-unknown")
    assert "/v1/search" in answer.json["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/", "POST, OPTIONS"),
        ("PUT", "/", "POST, OPTIONS"),
        ("GET", "/v1/search", "POST, OPTIONS"),
        ("POST", "/random", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/similar", "GET, HEAD, OPTIONS"),
        ("BREW", "/healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods(service: Service, method: str, path: str, allowed: str) -> None:
    answer = service.ask(method, path)
    assert answer.problem == (405, "method-not-allowed")
    assert answer.header("Allow") == allowed


def test_a_form_whose_chunks_break_off(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        head = "POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"5\r\nabcde\r\nnonsense\r\n")
        answer = connection.makefile("rb").readline()
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_the_form_helper_sends_what_browsers_send() -> None:
    body, headers = form(b"x", k="1")
    assert body.count(headers["Content-Type"].partition("boundary=")[2].encode()) == 3

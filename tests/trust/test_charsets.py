"""A form names the character set of a text; Python looks the name up and remembers it."""

import encodings
import secrets
from io import BytesIO

import pytest

from functions.search.body import Body
from functions.search.problems import RequestError
from functions.search.upload import read_upload


def field(charset: str, content: bytes) -> str:
    """Read a form's text field in this character set."""
    disposition = "--b\r\nContent-Disposition: form-data; name="
    part = f'{disposition}"prefix"\r\nContent-Type: text/plain; charset={charset}\r\n\r\n'
    photo = f'\r\n{disposition}"file"\r\n\r\nx\r\n--b--\r\n'
    form = part.encode() + content + photo.encode()
    body = Body({"wsgi.input": BytesIO(form), "CONTENT_LENGTH": str(len(form))})
    return read_upload(body, "multipart/form-data; boundary=b", 1000)[1]["prefix"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf8"', "ISO-8859-1"])
def test_what_clients_send_is_read(charset: str) -> None:
    assert field(charset, "hüte".encode(charset.strip('"'))) == "hüte"


@pytest.mark.parametrize(
    "charset",
    ['"utf-8\0"', "punycode", "idna", "latin-1", "unicode_escape", "utf-7", "rot13", "../x", "x" * 3000, '"ü"'],
)
def test_others_are_refused(charset: str) -> None:
    with pytest.raises(RequestError, match="character set"):
        field(charset, b"\\ud800")


def test_unknown_names_are_not_remembered() -> None:
    """Python keeps each name for ever: 4 KB of a client's choice for each part of a form."""
    known = len(encodings._cache)
    for _ in range(20):
        with pytest.raises(RequestError):
            field(secrets.token_hex(1000), b"x")
    assert len(encodings._cache) == known

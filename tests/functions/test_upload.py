"""Forms as real clients send them, and as real gateways spoil them."""

from io import BytesIO

import pytest

from functions.search.body import Body
from functions.search.problems import RequestError
from functions.search.upload import read_upload
from tests.photos import photo

RED = photo("red")


def part(name: str, content: bytes, filename: bytes | None = None) -> bytes:
    file = b"" if filename is None else b'; filename="%s"' % filename
    return b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), file, content)


def read(body: bytes, content_type: str = "multipart/form-data; boundary=b") -> tuple[bytes, dict[str, str]]:
    environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return read_upload(Body(environ), content_type, 1_000_000)


@pytest.mark.parametrize(
    "name",
    ["grün".encode("cp1252"), "红".encode("gbk"), "赤い".encode("shift-jis"), "ü".encode(), b"\xff"],
)
def test_a_file_name_in_any_character_set_is_fine(name: bytes) -> None:
    form = part("file", RED, name) + part("prefix", "hüte".encode()) + b"--b--\r\n"
    assert read(form) == (RED, {"prefix": "hüte"})


def test_text_that_is_not_utf8_is_still_refused() -> None:
    with pytest.raises(RequestError, match="character set"):
        read(part("file", RED, b"x") + part("prefix", b"\xff") + b"--b--\r\n")


def test_the_first_photo_of_several_inputs_counts() -> None:
    forms = part("file", b"", b""), part("file", RED, b"x"), part("file", b"another", b"y")
    assert read(b"".join(forms) + b"--b--\r\n")[0] == RED
    assert read(forms[0] + forms[0] + b"--b--\r\n")[0] == b""


def test_a_boundary_that_needs_quotes_is_explained() -> None:
    form = part("file", RED, b"x").replace(b"--b", b"--=b=") + b"--=b=--\r\n"
    assert read(form, 'multipart/form-data; boundary="=b="')[0] == RED
    with pytest.raises(RequestError, match="needs quotes"):
        read(form, "multipart/form-data; boundary==b=")


@pytest.mark.parametrize("whole", [RED, photo("red", format="PNG")], ids=["JPEG", "PNG"])
def test_a_photo_that_a_gateway_has_read_as_text_is_recognised(whole: bytes) -> None:
    for spoilt in (whole.decode(errors="replace").encode(), whole.decode("latin-1").encode()):
        with pytest.raises(RequestError, match="isBase64Encoded"):
            read(spoilt, "image/jpeg")
        with pytest.raises(RequestError, match="isBase64Encoded"):
            read(part("file", spoilt, b"x") + b"--b--\r\n")

"""The photo and the parameters in a request's body. Everything stays in memory, nothing is stored."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from multipart import MultipartError, MultipartParser, ParserLimitReached, parse_options_header

from functions.problems import RequestError

FIELD = "file"

_FORM_BYTES = 65_536
"""What a form may need beside the photo: boundaries, headers, parameters."""
_MAX_PARTS = 32
_DRAIN_BYTES = 64_000_000


def read_upload(environ: Mapping[str, Any], max_bytes: int) -> tuple[bytes, dict[str, str]]:
    """Read a photo sent as the multipart field `file`, or as the whole body.

    Args:
        environ: the WSGI environment.
        max_bytes: the largest photo.

    Returns:
        The photo's content, and the form's other fields.

    Raises:
        RequestError: 400, 413 or 415.
    """
    stream: BinaryIO = environ["wsgi.input"]
    length = _content_length(environ)
    content_type, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    multipart = content_type == "multipart/form-data"
    if length > max_bytes + (_FORM_BYTES if multipart else 0):
        _drain(stream, length)
        raise _too_large(max_bytes)
    if multipart:
        return _read_form(stream, options.get("boundary", ""), length, max_bytes)
    if content_type.startswith("image/") or content_type == "application/octet-stream":
        # Without a length the body ends where the server says it does.
        photo = stream.read(length if length >= 0 else max_bytes + 1)
        if len(photo) > max_bytes:
            raise _too_large(max_bytes)
        return photo, {}
    raise RequestError(
        415,
        "body-unsupported",
        "Send a photo",
        f"Send the photo as multipart/form-data with the field {FIELD!r}, or as the body with its image/... type.",
    )


def _read_form(stream: BinaryIO, boundary: str, length: int, max_bytes: int) -> tuple[bytes, dict[str, str]]:
    if not boundary:
        raise _malformed("the Content-Type has no boundary; let the HTTP client set this header itself")
    photo = None
    fields: dict[str, str] = {}
    size = max_bytes + _FORM_BYTES
    try:
        parser = MultipartParser(
            stream, boundary, length, part_limit=_MAX_PARTS, spool_limit=size, memory_limit=size, disk_limit=0
        )
        for part in parser:
            if part.name == FIELD:
                photo = photo if photo is not None else part.raw
            elif part.size <= _FORM_BYTES and not part.filename:
                fields.setdefault(part.name, part.value)
    except ParserLimitReached as error:
        raise _too_large(max_bytes) from error
    except (MultipartError, UnicodeDecodeError) as error:
        raise _malformed(str(error)) from error
    if photo is None:
        raise RequestError(
            400,
            "field-missing",
            f"The field {FIELD!r} is missing",
            f"The form has no field {FIELD!r}; put the photo there.",
        )
    return photo, fields


def _content_length(environ: Mapping[str, Any]) -> int:
    """-1 if the client does not say."""
    text = environ.get("CONTENT_LENGTH") or "-1"
    try:
        return int(text)
    except ValueError as error:
        raise _malformed("the Content-Length is not a number") from error


def _drain(stream: BinaryIO, length: int) -> None:
    """Read on for a while: a client that is still sending when the connection closes never sees the answer."""
    left = min(length, _DRAIN_BYTES)
    while left > 0 and (chunk := stream.read(min(left, 65_536))):
        left -= len(chunk)


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(
        413,
        "photo-too-large",
        "The photo is too large",
        f"The photo has more than {max_bytes:,} bytes; send it smaller (640 pixels on the long side are plenty).",
    )


def _malformed(reason: str) -> RequestError:
    return RequestError(400, "body-malformed", "The request cannot be read", f"The body is malformed: {reason}.")

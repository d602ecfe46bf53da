"""The photo and the parameters in a request's body. They stay in memory; nothing is stored."""

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header

from embeddings.errors import PhotoTooLargeError
from functions.search.body import Body, BodyTooLargeError, malformed
from functions.search.problems import RequestError

FIELD = "file"

_FORM_BYTES = 65_536
"""What a form may take beside the photo: boundaries, headers, parameters."""
_MAX_PARTS = 32
_CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")
"""Accepted for text. Python knows a hundred more, some of them slow, and remembers every unknown name for ever."""


def read_upload(body: Body, content_type: str, max_bytes: int) -> tuple[bytes, dict[str, str]]:
    """Read a photo that is sent as the multipart field `file` or as the whole body.

    Args:
        content_type: the request's header.
        max_bytes: the size of the largest photo.

    Returns:
        The encoded photo, and the form's other fields.

    Raises:
        PhotoTooLargeError: the body is larger than such a photo and what a form adds to it.
        RequestError: 400 or 415.
    """
    kind, options = parse_options_header(content_type)
    try:
        if kind == "multipart/form-data":
            body.expect(max_bytes + _FORM_BYTES)
            return _read_form(body, options.get("boundary", ""), max_bytes + _FORM_BYTES)
        if kind.startswith("image/") or kind == "application/octet-stream":
            body.expect(max_bytes)
            return body.read(max_bytes + 1), {}
    except BodyTooLargeError as error:
        raise PhotoTooLargeError(
            f"the photo has more than {max_bytes:,} bytes; send it smaller (640 pixels on the long side are plenty)"
        ) from error
    raise RequestError(
        415,
        "body-unsupported",
        "Send a photo",
        f"Send the photo as multipart/form-data with the field {FIELD!r}, or as the body with its image/... type.",
    )


def _read_form(body: Body, boundary: str, memory: int) -> tuple[bytes, dict[str, str]]:
    if not boundary:
        raise malformed("the Content-Type has no boundary; let the HTTP client set this header itself")
    photo = None
    fields: dict[str, str] = {}
    try:
        # Never spool to disk: uploads are not stored.
        parser = MultipartParser(
            body, boundary, part_limit=_MAX_PARTS, spool_limit=memory, memory_limit=memory, disk_limit=0
        )
        for part in parser:
            if part.name == FIELD:
                photo = part.raw if photo is None else photo
            elif part.size <= _FORM_BYTES and not part.filename:
                fields.setdefault(part.name, _text(part))
    except MultipartError as error:
        raise malformed(str(error.args[0])) from error
    except UnicodeError as error:
        raise malformed("a text is not in the character set that it or the form names; use UTF-8") from error
    if photo is None:
        raise RequestError(
            400,
            "field-missing",
            f"The field {FIELD!r} is missing",
            f"The form has no field {FIELD!r}; put the photo there.",
        )
    return photo, fields


def _text(part: MultipartPart) -> str:
    charset = part.charset.lower()
    if charset not in _CHARSETS:
        raise UnicodeError(f"{charset!r} is none of {_CHARSETS}")
    return str(part.raw, charset)

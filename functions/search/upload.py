"""The photo and the parameters in a request's body. Everything stays in memory, nothing is stored."""

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header

from embeddings.errors import PhotoTooLargeError
from functions.search.body import Body, malformed
from functions.search.problems import RequestError

FIELD = "file"

_FORM_BYTES = 65_536
"""What a form may need beside the photo: boundaries, headers, parameters."""
_MAX_PARTS = 32
_CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")
"""Of texts. Python knows a hundred more, some of them slow, and remembers for ever each name that it does not know."""


def read_upload(body: Body, content_type: str, max_bytes: int) -> tuple[bytes, dict[str, str]]:
    """Read a photo sent as the multipart field `file`, or as the whole body.

    Args:
        body: the request's.
        content_type: the header.
        max_bytes: the largest photo.

    Returns:
        The photo's content, and the form's other fields.

    Raises:
        RequestError: 400 or 415. PhotoTooLargeError.
    """
    kind, options = parse_options_header(content_type)
    if kind == "multipart/form-data":
        return _read_form(_Limited(body, max_bytes, _FORM_BYTES), options.get("boundary", ""), max_bytes)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return _Limited(body, max_bytes).read(max_bytes + 1), {}
    raise RequestError(
        415,
        "body-unsupported",
        "Send a photo",
        f"Send the photo as multipart/form-data with the field {FIELD!r}, or as the body with its image/... type.",
    )


class _Limited:
    """Refuses a body that is too large: at once if it says so, else when it gets there."""

    def __init__(self, body: Body, max_photo: int, max_rest: int = 0) -> None:
        self._body = body
        self._max_photo = max_photo
        self._left = max_photo + max_rest
        if body.length is not None and body.length > self._left:
            raise _too_large(max_photo)

    def read(self, size: int) -> bytes:
        data = self._body.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._max_photo)
        return data


def _read_form(stream: _Limited, boundary: str, max_bytes: int) -> tuple[bytes, dict[str, str]]:
    if not boundary:
        raise malformed("the Content-Type has no boundary; let the HTTP client set this header itself")
    photo = None
    fields: dict[str, str] = {}
    memory = max_bytes + _FORM_BYTES  # never spool to disk: uploads are not stored
    try:
        parser = MultipartParser(
            stream, boundary, part_limit=_MAX_PARTS, spool_limit=memory, memory_limit=memory, disk_limit=0
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


def _too_large(max_bytes: int) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"the photo has more than {max_bytes:,} bytes; send it smaller (640 pixels on the long side are plenty)"
    )

"""The photo and the parameters in a request's body. They stay in memory; nothing is stored."""

import re

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header

from embeddings.errors import PhotoTooLargeError
from functions.search.body import Body, BodyTooLargeError, malformed
from functions.search.given import Given
from functions.search.problems import RequestError

FIELD = "file"

_FORM_BYTES = 65_536
"""What a form may take beside the photo: boundaries, headers, parameters."""
_MAX_PARTS = 32
_CHARSETS = ("utf-8", "utf8", "us-ascii", "iso-8859-1")
"""Accepted for text. Python knows a hundred more, some of them slow, and remembers every unknown name for ever."""
_ANY_BYTES = "latin-1"
"""Decodes every header: file names come in the client's own character set, and nothing reads them."""

# The beginning of a JPEG or PNG file that a gateway has decoded as text: it replaced what is not UTF-8, or made each
# byte a character.
_AS_TEXT = re.compile(rb"(\xef\xbf\xbd){2}|\xc3\xbf\xc3\x98|(\xef\xbf\xbd|\xc2\x89)PNG")


def read_upload(body: Body, content_type: str, max_bytes: int) -> tuple[bytes, Given]:
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
    media_type, options = parse_options_header(content_type)
    is_form = media_type == "multipart/form-data"
    if not (is_form or media_type.startswith("image/") or media_type == "application/octet-stream"):
        raise RequestError(
            415,
            "body-unsupported",
            "The body is not a photo",
            f"Send a form (multipart/form-data) with the photo as {FIELD!r}, or the photo alone as image/jpeg.",
        )
    try:
        if is_form:
            body.expect(max_bytes + _FORM_BYTES)
            photo, fields = _read_form(body, options.get("boundary", ""), max_bytes + _FORM_BYTES)
        else:
            body.expect(max_bytes)
            photo, fields = body.read(max_bytes + 1), Given()
    except BodyTooLargeError as error:
        raise PhotoTooLargeError(
            f"the photo has more than {max_bytes:,} bytes; send it smaller (640 pixels on the long side are plenty)"
        ) from error
    if _AS_TEXT.match(photo):
        raise malformed(
            "a gateway has turned the photo into text; make it pass bodies on as binary (binaryMediaTypes */* on a "
            "REST API, isBase64Encoded in a Lambda event)"
        )
    return photo, fields


def _read_form(body: Body, boundary: str, memory: int) -> tuple[bytes, Given]:
    if not boundary:
        raise malformed(
            "the Content-Type has no boundary, or one that needs quotes (as = does); let the HTTP client set this "
            "header itself"
        )
    photo = None
    fields: list[tuple[str, str]] = []
    try:
        # Never spool to disk: uploads are not stored.
        parser = MultipartParser(
            body,
            boundary,
            charset=_ANY_BYTES,
            part_limit=_MAX_PARTS,
            spool_limit=memory,
            memory_limit=memory,
            disk_limit=0,
        )
        for part in parser:
            if part.name == FIELD:
                photo = photo or part.raw  # a page may have two inputs, the first one empty
            elif part.size <= _FORM_BYTES and not part.filename:
                fields.append((part.name, _text(part)))
    except MultipartError as error:
        raise malformed(str(error.args[0])) from error
    except UnicodeError as error:
        raise malformed("a text field is not in its declared character set; use UTF-8") from error
    if photo is None:
        raise RequestError(
            400,
            "field-missing",
            f"The field {FIELD!r} is missing",
            f"The form has no field {FIELD!r}; send the photo in that field.",
        )
    return photo, Given(fields, first_wins=True)


def _text(part: MultipartPart) -> str:
    _, options = parse_options_header(part.headers.get("Content-Type", ""))
    charset = options.get("charset", "utf-8").lower()
    if charset not in _CHARSETS:
        raise UnicodeError(f"{charset!r} is none of {_CHARSETS}")
    return str(part.raw, charset)

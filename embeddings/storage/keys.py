"""The normal form of keys: what every backend, and every client of it, reads as the same object."""

import re

from embeddings.errors import StorageError

_MAX_BYTES = 1024  # S3's and Google's limit
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # C0, DEL, C1


def key_problem(key: str) -> str | None:
    """Why `key` is not in normal form, in a few words; None when it is.

    obstore, which the queries read with, drops a slash at either end and would so read another object; it refuses
    empty, `.` and `..` segments, as browsers fold them in URLs.
    """
    if not key:
        return "empty key"
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return "key is not valid Unicode"
    if length > _MAX_BYTES:
        return f"key is longer than {_MAX_BYTES} bytes"
    if _CONTROL.search(key):
        return "control character in key"
    if key.startswith("/"):
        return "key starts with a slash"
    if key.endswith("/"):
        return "key ends with a slash"
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            return f"{segment!r} between slashes in key"
    return None


def checked(key: str) -> str:
    """`key` itself.

    Raises:
        StorageError: it is not in normal form.
    """
    if problem := key_problem(key):
        raise StorageError(f"{key[:200]!r} cannot be used: {problem}; rename the object")
    return key

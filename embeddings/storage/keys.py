"""The normal form of keys, which every backend and every client takes for the same object."""

import re

from embeddings.errors import StorageError

_MAX_BYTES = 1024  # S3's and Google's limit
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # C0, DEL, C1


def key_problem(key: str) -> str | None:
    """Say in a few words why `key` is not in normal form, or return None if it is.

    obstore, which queries read with, drops a slash at either end, and would read another object. It refuses empty, `.`
    and `..` segments, which browsers fold in URLs.
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
    """Return `key` unchanged.

    Raises:
        StorageError: it is not in normal form.
    """
    if problem := key_problem(key):
        raise StorageError(f"{key[:200]!r} cannot be used: {problem}; rename the object")
    return key

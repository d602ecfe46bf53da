"""From an HTTP status to this library's error, in one place, so that every backend answers alike."""

import re

from embeddings.errors import ConflictError, NotFoundError, StorageError, UnavailableError

_DETAIL_CHARACTERS = 300
_QUERY = re.compile(r"(?<=\w)\?[^\s,()]*")  # of a URL: it may carry a signature or an upload's secret id


def storage_error(where: str, status: int | None, detail: object = "") -> StorageError:
    """The error to raise.

    Args:
        where: the URI of the object or bucket, for the message.
        status: of HTTP; None when there was no answer.
        detail: what the SDK said, shortened for the message.
    """
    said = " ".join(_QUERY.sub("?...", str(detail)).split())[:_DETAIL_CHARACTERS]
    said = f" ({said})" if said else ""
    if status == 404:
        return NotFoundError(f"{where}: there is no such object{said}")
    if status in (409, 412):
        return ConflictError(f"{where}: somebody else wrote it in between; read it again and retry{said}")
    if status in (401, 403):
        return StorageError(
            f"{where}: access denied; check the credentials in use and that they may read, list and write there. "
            f"Without permission to list a bucket, S3 says this of a missing object too{said}"
        )
    if status in (301, 307, 308):
        return StorageError(f"{where}: the bucket is in another region; set AWS_REGION to it{said}")
    if status is None:
        return UnavailableError(f"{where}: no answer from storage; check network and endpoint, then retry{said}")
    if status in (408, 429) or status >= 500:
        return UnavailableError(f"{where}: storage is busy or failing (HTTP {status}); try again later{said}")
    return StorageError(f"{where}: storage refused the request (HTTP {status}){said}")


def no_bucket(where: str) -> StorageError:
    """The error for a bucket that is not there: not NotFoundError, which is about an object."""
    return StorageError(f"{where}: there is no such bucket; create it or correct the address")

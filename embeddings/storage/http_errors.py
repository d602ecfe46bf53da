"""Map HTTP statuses to this library's errors, in one place, so that every backend raises the same ones."""

import re

from embeddings.errors import ArchivedError, ConflictError, NotFoundError, StorageError, UnavailableError

_DETAIL_CHARACTERS = 300
_QUERY = re.compile(r"(?<=\w)\?[^\s,()]*")  # a URL's query may carry a signature or an upload's secret id


def storage_error(where: str, status: int | None, detail: object = "") -> StorageError:
    """Return the error to raise.

    Args:
        where: the URI of the object or bucket.
        status: the HTTP status; None if there was no answer.
        detail: the SDK's own message, which is shortened.
    """
    said = " ".join(_QUERY.sub("?...", str(detail)).split())[:_DETAIL_CHARACTERS]
    said = f" ({said})" if said else ""
    if status == 404:
        return NotFoundError(f"{where}: there is no such object{said}")
    if status in (409, 412):
        return ConflictError(f"{where}: somebody else has written it in the meantime; read it again and retry{said}")
    if "InvalidObjectState" in said:
        return ArchivedError(f"{where}: the object is archived; restore it, then retry{said}")
    if status in (401, 403):
        return StorageError(
            f"{where}: access denied; check which credentials are in use and what they may read, list and write. "
            f"Without permission to list the bucket, S3 answers this for a missing object too{said}"
        )
    if status in (301, 307, 308):
        return StorageError(f"{where}: the bucket is in another region; set AWS_REGION to it{said}")
    if status is None:
        return UnavailableError(f"{where}: no answer from storage; check network and endpoint, then retry{said}")
    if status in (408, 429) or status >= 500:
        return UnavailableError(f"{where}: storage is busy or failing (HTTP {status}); try again later{said}")
    return StorageError(f"{where}: storage refused the request (HTTP {status}){said}")


def no_bucket(where: str) -> StorageError:
    """Return the error for a missing bucket. It is not a NotFoundError, which means a missing object."""
    return StorageError(f"{where}: there is no such bucket; create it or correct the address")

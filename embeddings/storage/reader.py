"""Reading for queries: one implementation (obstore) for S3, Google Cloud Storage and a local folder.

It follows a folder's symbolic links, like the writer. Credentials come from the environment or the cloud. boto3 gets
them in the two cases that obstore does not know: a profile on a person's machine (`AWS_PROFILE`), and
`AWS_CONTAINER_CREDENTIALS_FULL_URI`, which Lambda sets under SnapStart.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

import obstore
from obstore.exceptions import BaseError, NotModifiedError
from obstore.store import GCSStore, LocalStore, S3Store

from embeddings.errors import StorageError, StorageUriError, WrongSizeError
from embeddings.storage.http_errors import no_bucket, storage_error
from embeddings.storage.keys import checked
from embeddings.storage.uri import StorageUri

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, RetryConfig, S3CredentialProvider

PART_BYTES = 4 * 1024 * 1024
"""Larger objects are fetched in parallel parts of this size."""
_THREADS = 8
_CONNECT_SECONDS = 1
_STALL_SECONDS = 2
"""The longest wait for the next byte, including the first."""
_PART_SECONDS = 60
"""The limit for one whole request: enough for eight parallel parts at 4.5 Mbit/s. The other limits notice a hang."""
_IDLE_SECONDS = 10
"""An idle connection is not used again after this. A frozen function would wake up with closed ones."""
_LONGEST_SIGNATURE_SECONDS = 7 * 24 * 3600
_STATUS = re.compile(r"status code: (\d{3})")
_ONLY_BOTO3 = ("AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_CREDENTIAL_SERVICES = ("/latest/api/token", "/latest/meta-data/", "/computeMetadata/", "//169.254.170.2/")
"""Parts of the URLs that obstore asks for credentials when the environment holds none."""
_SIGN_IN = {
    "s3": "set AWS_PROFILE to a profile of `aws configure`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file",
}
_RETRY: "RetryConfig" = {
    "max_retries": 1,
    "retry_timeout": timedelta(seconds=_PART_SECONDS),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(milliseconds=500), "base": 2},
}


@dataclass(frozen=True)
class Fetched:
    """An object's content, and the ETag by which a change is noticed."""

    content: memoryview
    etag: str
    """The reader's own: a writer's ETag for the same content may differ."""

    @property
    def data(self) -> bytes:
        """The content: a copy."""
        return bytes(self.content)


class Reader:
    """Reads objects. Keys are relative to the URI's prefix. Several threads may share a reader.

    It tries a failed request once more, and gives up after 5 seconds on storage that does not answer. Every method
    raises `embeddings.errors.StorageError` if storage fails, the bucket is missing, access is denied, or a key is not
    in normal form.
    """

    def __init__(self, uri: StorageUri) -> None:
        """Touch nothing yet: neither bucket nor folder needs to exist."""
        self._uri = uri
        base = f"{uri.prefix}/" if uri.prefix else ""
        # obstore's own prefix option would encode the prefix first.
        self._base = "" if uri.scheme == "file" else base
        self._where = base if uri.scheme == "file" else f"{uri.scheme}://{uri.bucket}/{base}"
        with self._explained(""):
            self._store = _opener(uri)

    def get(
        self,
        key: str,
        *,
        size: int | None = None,
        most: int | None = None,
        each: Callable[[memoryview], object] | None = None,
    ) -> Fetched:
        """Read a whole object.

        Args:
            key: the object's key.
            size: its size in bytes, if known. Above `PART_BYTES`, several threads fetch it in parts.
            most: the most bytes it may have, if its size is not known.
            each: called with every part in order, while the later ones are still on their way.

        Raises:
            NotFoundError: there is no such object.
            WrongSizeError: its size is not `size`, or is more than `most`.
            StorageError: storage failed, or the object was replaced while its parts were read.
        """
        if size is None or size <= PART_BYTES:
            whole = self._fetch(key, {}, size, most)
            if each is not None:
                each(whole.content)
            return whole
        # Imported here because only large objects need them.
        from concurrent.futures import ThreadPoolExecutor
        from mmap import mmap

        content = memoryview(mmap(-1, size))  # unlike a bytearray, not filled with zeros first
        starts = range(0, size, PART_BYTES)

        def fetch_part(start: int) -> str:
            end = min(start + PART_BYTES, size)
            part = self._fetch(key, {"range": (start, end)}, size)
            with self._explained(key):  # it may be longer or shorter than what was asked for
                content[start:end] = part.content
            return part.etag

        with ThreadPoolExecutor(min(_THREADS, len(starts))) as threads:
            # get_ranges would fetch adjacent ranges one after the other.
            parts = [threads.submit(fetch_part, start) for start in starts]
            try:
                etags = []
                for start, part in zip(starts, parts, strict=True):
                    etags.append(part.result())
                    if each is not None:
                        each(content[start : start + PART_BYTES])
            finally:
                threads.shutdown(cancel_futures=True)
        if len(set(etags)) > 1:
            raise StorageError(f"{self._where}{key}: it was replaced during the read; try again")
        return Fetched(content, etags[0])

    def get_if_changed(self, key: str, etag: str, *, most: int | None = None) -> Fetched | None:
        """Read an object as `get` does, or return None if its ETag is still `etag`.

        Raises:
            NotFoundError, WrongSizeError, StorageError.
        """
        try:
            return self._fetch(key, {"if_none_match": etag}, None, most)
        except NotModifiedError:
            return None

    def sign(self, keys: Sequence[str], seconds: int) -> list[str]:
        """Make a URL for each key that lets anybody who has it read the object. Does not check that the objects exist.

        Args:
            keys: the objects' keys.
            seconds: how long the URLs work, at most 604,800 (7 days).

        Raises:
            StorageUriError: this is a folder, which cannot sign.
            StorageError: there are no credentials that can sign. On Google, only a service account's key can.
        """
        if self._uri.scheme == "file":
            raise StorageUriError(f"{self._where}: a folder cannot sign URLs; set IMAGE_BASE_URL instead")
        if not 0 < seconds <= _LONGEST_SIGNATURE_SECONDS:
            raise StorageError(f"signed URLs last 1 to {_LONGEST_SIGNATURE_SECONDS} seconds, not {seconds}")
        paths = [self._base + checked(key) for key in keys]
        if self._uri.scheme == "gs":  # obstore 0.12 does not encode `%`, `?` and `#` in these URLs alone
            paths = [quote(path) for path in paths]
        if not paths:
            return []
        with self._explained(""):
            store = cast("GCSStore | S3Store", self._store())
            return list(obstore.sign(store, "GET", paths, timedelta(seconds=seconds)))

    def _fetch(self, key: str, options: "GetOptions", size: int | None, most: int | None = None) -> Fetched:
        """Send one request. `size` is that of the whole object, even if the request is for a part of it."""
        with self._explained(key):
            result = obstore.get(self._store(), self._base + checked(key), options=options)
            there = result.meta["size"]
            if size is not None and there != size:
                raise WrongSizeError(f"{self._where}{key}: {there} bytes where {size} were expected")
            if most is not None and there > most:
                raise WrongSizeError(f"{self._where}{key}: {there} bytes where at most {most} were expected")
            return Fetched(memoryview(result.bytes()), result.meta["e_tag"] or "")

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        where = self._where + key
        try:
            yield
        except NotModifiedError:
            raise
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise no_bucket(where) from error
            raise storage_error(where, 404) from error
        except (BaseError, OSError, ValueError) as error:
            said = str(error).partition("\n\nDebug source:")[0]  # pages of Rust
            if "Not a directory" in said:  # a file where the key has a folder
                raise storage_error(where, 404) from error
            if any(place in said for place in _CREDENTIAL_SERVICES):
                raise StorageError(
                    f"{where}: no credentials found; {_SIGN_IN[self._uri.scheme]} ({said[:200]})"
                ) from error
            found = _STATUS.search(said)
            status = int(found[1]) if found else 301 if "configured region" in said else None
            raise storage_error(where, status, said) from error


def open_reader(uri: str) -> Reader:
    """Open storage for reading, without a request yet.

    Raises:
        StorageUriError: the address is not one.
        StorageError: `AWS_PROFILE` names no usable profile, or another environment variable is wrong.
    """
    return Reader(StorageUri.parse(uri))


def _opener(uri: StorageUri) -> Callable[[], GCSStore | LocalStore | S3Store]:
    if uri.scheme == "file":
        # Opened for every request: the folder may not exist yet, and obstore insists that it does.
        return partial(_open_folder, uri.prefix)
    store: GCSStore | S3Store
    if uri.scheme == "s3":
        store = S3Store(
            uri.bucket,
            client_options=_client("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
            retry_config=_RETRY,
            credential_provider=_from_boto3() if any(map(os.environ.get, _ONLY_BOTO3)) else None,
        )
    else:
        store = GCSStore(uri.bucket, client_options=_client("GOOGLE_BASE_URL"), retry_config=_RETRY)
    return lambda: store


def _open_folder(path: str) -> LocalStore:
    if not os.path.isdir(path):
        raise FileNotFoundError(path)
    return LocalStore(path)


def _client(*endpoint_variables: str) -> "ClientConfig":
    """Set up the HTTP client. Unencrypted HTTP is allowed only for an endpoint that somebody set with http://."""
    endpoint = ""
    for variable in endpoint_variables:
        endpoint = os.environ.get(variable, "")
        if endpoint and not endpoint.startswith(("http://", "https://")):  # obstore would panic
            raise StorageError(f"{variable}={endpoint!r} must begin with http:// or https://")
        if endpoint:
            break
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=_STALL_SECONDS),
        "timeout": timedelta(seconds=_PART_SECONDS),
        "pool_idle_timeout": timedelta(seconds=_IDLE_SECONDS),
    }


def _from_boto3() -> "S3CredentialProvider":
    try:
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        said = " or ".join(name for name in _ONLY_BOTO3 if os.environ.get(name))
        raise StorageError(f"{said} is set, and reading it needs boto3: pip install boto3 ({error})") from error
    try:
        return Boto3CredentialProvider()
    except (BotoCoreError, ValueError) as error:
        said = ", ".join(f"{name}={os.environ[name]!r}" for name in _ONLY_BOTO3 if os.environ.get(name))
        raise StorageError(f"{said} cannot be used: {error}") from error

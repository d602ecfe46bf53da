"""Writing to Google Cloud Storage with its own SDK. With `STORAGE_EMULATOR_HOST` it needs no credentials."""

import http
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import google.api_core.exceptions
import google.auth.exceptions
import requests
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from embeddings.errors import StorageError
from embeddings.storage.http_errors import no_bucket, storage_error
from embeddings.storage.keys import checked
from embeddings.storage.objects import ObjectInfo, Versioned
from embeddings.storage.uri import StorageUri

_CONNECTIONS = 32
"""Enough for all threads that ask for objects at once. The SDK's own pool holds 10."""
_TIMEOUT = (5, 30)
"""Seconds to connect, and between two reads."""
_RETRY = DEFAULT_RETRY.with_timeout(30.0)
"""A request that meets 429, 5xx or a broken connection is retried for these seconds; the SDK's default is 120."""
_FIELDS = "items(name,md5Hash,crc32c,size,updated),nextPageToken"


class GcsWriter:
    """A `Writer` on a bucket. A version is an object's generation."""

    def __init__(self, uri: StorageUri) -> None:
        """Take credentials from the environment (application default credentials)."""
        self._uri = f"gs://{uri.bucket}/"
        self._root = f"{uri.prefix}/" if uri.prefix else ""
        with self._explained(""):
            client = storage.Client(project=None)  # only creating buckets needs a project
            for scheme in ("https://", "http://"):
                client._http.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
        self._client = client
        self._bucket = client.bucket(uri.bucket)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield all objects whose key starts with `prefix`, 1,000 a page."""
        with self._explained(""):
            for blob in self._client.list_blobs(
                self._bucket, prefix=self._root + prefix, fields=_FIELDS, timeout=_TIMEOUT, retry=_RETRY
            ):
                if not blob.name.endswith("/"):
                    yield self._info(blob)

    def stat(self, key: str) -> ObjectInfo:
        """Return one object's listing entry."""
        blob = self._blob(key)
        with self._explained(key):
            blob.reload(timeout=_TIMEOUT, retry=_RETRY)
        return self._info(blob)

    def get(self, key: str) -> Versioned:
        """Read a whole object and verify its checksum."""
        blob = self._blob(key)
        with self._explained(key):
            data = blob.download_as_bytes(timeout=_TIMEOUT, retry=_RETRY)
        return Versioned(data, str(blob.generation))  # from the same answer as the bytes

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        cache_control: str | None = None,
    ) -> None:
        """Write unconditionally."""
        self._put(key, data, content_type, cache_control, None)

    def compare_and_set(
        self, key: str, data: bytes, version: str | None, *, content_type: str, cache_control: str
    ) -> None:
        """Write with `ifGenerationMatch`; 0 means that there is no object yet."""
        self._put(key, data, content_type, cache_control, 0 if version is None else int(version))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, one request each."""
        for key in keys:
            with self._explained(key):
                try:
                    self._blob(key).delete(timeout=_TIMEOUT, retry=_RETRY)
                except google.api_core.exceptions.NotFound as error:
                    if _names_bucket(error):
                        raise

    def _put(
        self, key: str, data: bytes, content_type: str, cache_control: str | None, if_generation: int | None
    ) -> None:
        blob = self._blob(key)
        blob.cache_control = cache_control
        with self._explained(key):
            blob.upload_from_string(
                data, content_type=content_type, if_generation_match=if_generation, timeout=_TIMEOUT, retry=_RETRY
            )

    def _blob(self, key: str) -> storage.Blob:
        return self._bucket.blob(self._root + checked(key))

    def _info(self, blob: storage.Blob) -> ObjectInfo:
        # Not the object's own ETag, which changes with its metadata. A composed object has no MD5.
        key, etag = blob.name.removeprefix(self._root), blob.md5_hash or blob.crc32c
        return ObjectInfo(key, etag, blob.size, blob.updated, hashed=bool(blob.md5_hash))

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        where = f"{self._uri}{self._root}{key}"
        try:
            yield
        except google.api_core.exceptions.GoogleAPIError as error:
            # A RetryError wraps the last error, and for uploads that is of another class than elsewhere.
            cause = error.cause if isinstance(error, google.api_core.exceptions.RetryError) else error
            status = cause.response.status_code if isinstance(cause, InvalidResponse) else getattr(cause, "code", None)
            if status == http.HTTPStatus.NOT_FOUND and (_names_bucket(cause) or not key):
                raise no_bucket(where) from error
            raise storage_error(where, status, cause) from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise StorageError(
                f"{where}: no usable Google credentials ({error}); run `gcloud auth application-default login`, or set "
                "GOOGLE_APPLICATION_CREDENTIALS to a service account's key file"
            ) from error
        except (requests.RequestException, DataCorruption, OSError, ValueError) as error:
            raise storage_error(where, None, error) from error


def _names_bucket(error: object) -> bool:
    return "bucket does not exist" in str(error)

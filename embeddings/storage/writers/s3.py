"""Writing to Amazon S3, or a server that speaks its protocol (`AWS_ENDPOINT_URL`), with boto3."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from embeddings.errors import ConflictError, NotFoundError
from embeddings.storage.aws_credentials import CREDENTIALS_ERRORS, no_credentials
from embeddings.storage.http_errors import no_bucket, storage_error
from embeddings.storage.keys import checked
from embeddings.storage.objects import ObjectInfo, Versioned
from embeddings.storage.uri import StorageUri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONNECTIONS = 32
"""Enough for all threads that ask for objects at once."""
_TRIES = 8
"""With growing pauses this takes half a minute: S3 answers SlowDown for that long while it divides a busy bucket."""
_ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects cannot be read as they are."""
_DELETE_BATCH = 1000
"""The most keys that S3 takes in one request."""


class S3Writer:
    """A `Writer` on a bucket. A version is an ETag."""

    def __init__(self, uri: StorageUri) -> None:
        """Take region and credentials from the environment, as boto3 does."""
        self._bucket = uri.bucket
        self._root = f"{uri.prefix}/" if uri.prefix else ""
        with self._explained(""):
            self._client = _open_client()

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield all objects whose key starts with `prefix`, 1,000 a page."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._root + prefix)
        with self._explained(""):
            for page in pages:
                for entry in page.get("Contents", ()):
                    if not entry["Key"].endswith("/"):
                        yield self._info(
                            entry["Key"].removeprefix(self._root), entry, entry["Size"], entry.get("StorageClass")
                        )

    def stat(self, key: str) -> ObjectInfo:
        """Return one object's listing entry."""
        try:
            with self._explained(key):
                answer = self._client.head_object(Bucket=self._bucket, Key=self._root + checked(key))
        except NotFoundError:
            # The answer to HEAD has no body, so it does not say whether the object or the bucket is missing.
            with self._explained(""):
                self._client.head_bucket(Bucket=self._bucket)
            raise
        return self._info(key, answer, answer["ContentLength"], answer.get("StorageClass"))

    def get(self, key: str) -> Versioned:
        """Read a whole object."""
        with self._explained(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._root + checked(key))
            # Not `with answer["Body"]`: that yields the stream beneath, which raises errors that are not botocore's.
            with closing(answer["Body"]) as body:
                return Versioned(body.read(), answer["ETag"])

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        cache_control: str | None = None,
    ) -> None:
        """Write unconditionally."""
        self._put(key, data, content_type, cache_control, {})

    def compare_and_set(
        self, key: str, data: bytes, version: str | None, *, content_type: str, cache_control: str
    ) -> None:
        """Write with `If-Match`, or with `If-None-Match: *` if there is no object yet."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        try:
            self._put(key, data, content_type, cache_control, condition)
        except NotFoundError as error:  # deleted since it was read
            raise ConflictError(str(error)) from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, up to 1,000 a request."""
        remaining = iter(keys)
        while batch := [{"Key": self._root + checked(key)} for key in islice(remaining, _DELETE_BATCH)]:
            with self._explained(""):
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": batch, "Quiet": True},  # type: ignore[typeddict-item]
                )
            for error in answer.get("Errors", ()):  # the request succeeds even when a key fails
                denied = error.get("Code") == "AccessDenied"
                raise storage_error(self._where(error.get("Key", "")), 403 if denied else 500, error.get("Message", ""))

    def _put(self, key: str, data: bytes, content_type: str, cache_control: str | None, more: dict[str, Any]) -> None:
        if cache_control is not None:
            more["CacheControl"] = cache_control
        with self._explained(key):
            self._client.put_object(
                Bucket=self._bucket, Key=self._root + checked(key), Body=data, ContentType=content_type, **more
            )

    @staticmethod
    def _info(key: str, entry: Mapping[str, Any], size: int, storage_class: str | None) -> ObjectInfo:
        return ObjectInfo(
            key, entry["ETag"], size, entry["LastModified"], hashed=True, archived=storage_class in _ARCHIVES
        )

    def _where(self, full_key: str) -> str:
        return f"s3://{self._bucket}/{full_key}"

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        where = self._where(self._root + key)
        try:
            yield
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            missing_bucket = error.operation_name in ("HeadBucket", "ListObjectsV2", "DeleteObjects") and status == 404
            if missing_bucket or error.response["Error"]["Code"] == "NoSuchBucket":
                raise no_bucket(where) from error
            raise storage_error(where, status, error) from error
        except CREDENTIALS_ERRORS as error:
            raise no_credentials(where, error) from error
        except (BotoCoreError, ValueError) as error:  # ValueError: the endpoint is not a URL
            raise storage_error(where, None, error) from error


def _open_client() -> "S3Client":
    """Open a client, which threads may share. They must not open clients of one session at the same time."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return boto3.session.Session().client(
        "s3",
        config=Config(
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=_CONNECTIONS,
            retries={"mode": "adaptive", "total_max_attempts": int(os.environ.get("AWS_MAX_ATTEMPTS", _TRIES))},
            # Like the reader: a private endpoint seldom has a host name for every bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )

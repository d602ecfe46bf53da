"""The requests of a search to Amazon S3 Vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import CorruptIndexError, NotFoundError, SearchDepthError, StorageError
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.client import SEARCHING, explained, open_client
from embeddings.s3_vectors.metadata import Filter
from embeddings.unit_rows import unit_rows

ONE_PAGE = 100
"""The most results in one answer, and the most keys in one request. Since June 2026 more results come in pages, up to
10,000."""


class VectorQueries:
    """Asks one vector index.

    Every method raises UnavailableError or StorageError if the engine does not answer, and CorruptIndexError if the
    vector index is gone.
    """

    def __init__(self, index: VectorIndexName) -> None:
        """Open a client, without a request yet."""
        self._index = index
        self.client = open_client(index, SEARCHING)

    def nearest(
        self, query: NDArray[np.float32], count: int, where: Filter, *, with_metadata: bool = False
    ) -> list[dict[str, Any]]:
        """Ask for up to `count` results, nearest first, each with `key`, `distance` and perhaps `metadata`.

        Raises:
            SearchDepthError: the engine or the installed client cannot return that many.
        """
        asked: dict[str, Any] = {
            **self._address,
            "topK": count,
            "queryVector": {"float32": query.tolist()},
            "returnDistance": True,
            **({"returnMetadata": True} if with_metadata else {}),
            **({"filter": where} if where else {}),
        }
        deep = count > ONE_PAGE
        if deep and not self.client.can_paginate("query_vectors"):
            raise SearchDepthError(
                f"this botocore cannot page through S3 Vectors: update it, or ask for at most {ONE_PAGE} results"
            )
        try:
            with explained(self._index):
                if not deep:
                    return list(self.client.query_vectors(**asked)["vectors"])
                pages = self.client.get_paginator("query_vectors").paginate(**asked)
                return [each for page in pages for each in page["vectors"]]
        except NotFoundError as error:
            raise self._gone() from error
        except StorageError as error:
            if deep and isinstance(error.__cause__, self.client.exceptions.ValidationException):
                raise SearchDepthError(f"S3 Vectors refuses to return {count} results: {error}") from error
            raise

    def vectors(self, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Get the unit vectors of at most 100 keys, by key, without those that do not exist."""
        found = self._get(keys, returnData=True)
        if not found:
            return {}
        rows = unit_rows(np.array([each["data"]["float32"] for each in found], dtype=np.float64))
        return {each["key"]: row for each, row in zip(found, rows, strict=True)}

    def metadata(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Get the metadata of at most 100 keys, without those that do not exist."""
        return [each.get("metadata", {}) for each in self._get(keys, returnMetadata=True)]

    def _get(self, keys: Sequence[str], **wanted: bool) -> list[dict[str, Any]]:
        if not keys:
            return []
        try:
            with explained(self._index):
                return list(self.client.get_vectors(**self._address, keys=list(keys), **wanted)["vectors"])
        except NotFoundError as error:
            raise self._gone() from error

    @property
    def _address(self) -> dict[str, str]:
        return {"vectorBucketName": self._index.bucket, "indexName": self._index.name}

    def _gone(self) -> CorruptIndexError:
        return CorruptIndexError(f"{self._index} is missing; roll back, or rebuild with --full")

"""Names of vector buckets and indexes in Amazon S3 Vectors. Light, since every cold start imports it."""

import re
from dataclasses import dataclass

VECTOR_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""Holds for a vector bucket and for an index: https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_CreateIndex.html"""


@dataclass(frozen=True)
class VectorIndexName:
    """A vector index and its bucket, in the function's own region."""

    bucket: str
    name: str

    def __str__(self) -> str:
        return f"s3vectors://{self.bucket}/{self.name}"

"""The stand-in refuses what the engine's documents say it refuses; else the tests upon it would prove nothing."""

from http.client import HTTPConnection
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.servers.s3vectors import S3VectorsServer

PLACE = {"vectorBucketName": "shop", "indexName": "garments"}


def vector(key: str = "a", *numbers: float, **metadata: Any) -> dict[str, Any]:
    return {"key": key, "data": {"float32": list(numbers or (1.0, 0.0))}, "metadata": metadata}


@pytest.fixture
def client(vectors_server: S3VectorsServer) -> Any:
    made: Any = botocore.session.get_session().create_client("s3vectors")
    made.create_index(
        **PLACE,
        dataType="float32",
        dimension=2,
        distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": ["etag"]},
    )
    return made


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("put_vectors", {"vectors": [vector(str(number)) for number in range(501)]}),
        ("put_vectors", {"vectors": [vector("k" * 1025)]}),
        ("put_vectors", {"vectors": [vector("a", 0.0, 0.0)]}),
        ("put_vectors", {"vectors": [vector("a", 1.0, float("nan"))]}),
        ("put_vectors", {"vectors": [vector("a", 1.0)]}),
        ("put_vectors", {"vectors": [vector(folders=["f" * 2048])]}),
        ("put_vectors", {"vectors": [vector(folders=[])]}),
        ("delete_vectors", {"keys": [str(number) for number in range(501)]}),
        ("get_vectors", {"keys": [str(number) for number in range(101)]}),
        ("list_vectors", {"maxResults": 1001}),
        ("list_vectors", {"segmentCount": 17, "segmentIndex": 0}),
        ("list_vectors", {"segmentCount": 2, "segmentIndex": 2}),
        ("query_vectors", {"topK": 10_001, "queryVector": {"float32": [1.0, 0.0]}}),
        ("query_vectors", {"topK": 1, "queryVector": {"float32": [0.0, 0.0]}}),
        ("query_vectors", {"topK": 1, "queryVector": {"float32": [1.0, 0.0]}, "filter": {"etag": {"$eq": "1"}}}),
        ("query_vectors", {"topK": 1, "queryVector": {"float32": [1.0, 0.0]}, "filter": {"draw": {"$gte": "1"}}}),
    ],
)
def test_what_is_beyond_a_limit_is_refused(operation: str, asked: dict[str, Any], client: Any) -> None:
    client.put_vectors(**PLACE, vectors=[vector("there", draw=1, folders=["f"], etag="1")])
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**PLACE, **asked)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_metadata_that_cannot_be_filtered_by_may_be_large(client: Any) -> None:
    client.put_vectors(**PLACE, vectors=[vector(etag="e" * 4000)])


def test_unsigned_requests_are_refused(vectors_server: S3VectorsServer) -> None:
    connection = HTTPConnection(vectors_server.url.removeprefix("http://"))
    connection.request("POST", "/ListVectors", b"{}")
    response = connection.getresponse()
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    connection.close()

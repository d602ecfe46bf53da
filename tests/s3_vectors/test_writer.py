"""Putting, deleting and listing: in batches, repeated while the engine is busy, harmless if repeated."""

import numpy as np
import pytest

from embeddings.errors import GalleryIndexError, NotFoundError, StorageError, UnavailableError
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.metadata import metadata_problem
from embeddings.s3_vectors.writer import Embedded, S3VectorsWriter, _pause
from tests.servers.s3vectors import RefusedError, S3VectorsServer

DIMENSION = 8


def embedded(count: int) -> dict[str, Embedded]:
    rows = np.random.default_rng(0).standard_normal((count, DIMENSION)).astype(np.float16)
    return {
        f"{'shirts' if number % 2 else 'shoes'}/{number:04}.jpg": (f'"{number}"', rows[number])
        for number in range(count)
    }


@pytest.fixture
def writer(index: VectorIndexName) -> S3VectorsWriter:
    made = S3VectorsWriter(index)
    made.create(DIMENSION)
    return made


def test_vectors_are_stored_with_their_etags(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    vectors = embedded(1201)
    writer.put(vectors)
    assert [len(each["vectors"]) for each in vectors_server.asked("PutVectors")] == [500, 500, 201]
    etags = {key: etag for key, (etag, _) in vectors.items()}
    assert writer.look().etags == etags
    assert writer.look(within=lambda key: key.startswith("shirts/")).etags == {
        key: etag for key, etag in etags.items() if key.startswith("shirts/")
    }
    some = [*list(etags)[:250], "shirts/unknown.jpg"]
    assert writer.look(some).etags == {key: etags[key] for key in some[:-1]}
    assert [len(each["keys"]) for each in vectors_server.asked("GetVectors")] == [100, 100, 51]


def test_a_vector_is_stored_as_in_a_matrix(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    writer.put({"a/b/c.jpg": ('"1"', np.arange(DIMENSION, dtype=np.float16))})
    [stored] = vectors_server.buckets["shop"]["garments"].vectors.values()
    expected = np.arange(DIMENSION) / np.linalg.norm(np.arange(DIMENSION))
    assert stored.data == pytest.approx(expected, abs=1e-7)
    assert stored.metadata["folders"] == ["a", "a/b"]
    assert stored.metadata["etag"] == '"1"'
    assert 0 <= stored.metadata["draw"] < 2**32


def test_deletions_are_batched_and_repeatable(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    vectors = embedded(700)
    writer.put(vectors)
    for _ in range(2):
        writer.delete(list(vectors)[:600])
    assert [len(each["keys"]) for each in vectors_server.asked("DeleteVectors")] == [500, 100, 500, 100]
    assert len(writer.look().etags) == 100


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceUnavailableException", "InternalServerException"])
def test_a_busy_engine_is_asked_again(code: str, writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    vectors_server.fail_next(code, times=5)
    writer.put(embedded(3))
    assert len(writer.look().etags) == 3


def test_an_engine_that_is_busy_for_long_is_filled_all_the_same(
    writer: S3VectorsWriter, vectors_server: S3VectorsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times as many writers as it can serve would see this. botocore alone gives up after some fifty puts."""
    monkeypatch.setattr("embeddings.s3_vectors.writer.PUT_BATCH", 1)

    def refuse(operation: str, asked: dict[str, object]) -> None:
        if operation == "PutVectors" and len(vectors_server.asked(operation)) % 4:
            raise RefusedError("TooManyRequestsException", "slow down")

    vectors_server.before = refuse
    writer.put(embedded(120))
    assert len(writer.look().etags) == 120


def test_pauses_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("embeddings.s3_vectors.writer.random.uniform", lambda _least, most: most)
    monkeypatch.setattr("embeddings.s3_vectors.writer.time.sleep", pauses.append)
    for attempt in range(1, 8):
        _pause(attempt)
    assert pauses == [1, 2, 4, 8, 16, 20, 20]


def test_a_put_whose_answer_is_lost_is_put_again(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    lost = ["PutVectors", "PutVectors"]

    def lose(operation: str) -> None:
        if operation in lost:
            lost.remove(operation)
            raise RefusedError("InternalServerException", "lost")

    vectors_server.after = lose
    writer.put(embedded(3))
    assert lost == []
    assert len(writer.look().etags) == 3


def test_an_engine_that_stays_busy_is_given_up(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    vectors = embedded(900)

    def fail(operation: str, asked: dict[str, object]) -> None:
        if len(vectors_server.asked("PutVectors")) > 1:
            raise RefusedError("TooManyRequestsException", "slow down")

    vectors_server.before = fail
    with pytest.raises(UnavailableError, match="s3vectors://shop/garments: storage is busy"):
        writer.put(vectors)
    vectors_server.before = lambda operation, asked: None
    assert len(writer.look().etags) == 500  # the first batch stays, and the next rebuild continues from it


def test_creating_an_index_twice_is_fine_unless_they_differ(index: VectorIndexName, writer: S3VectorsWriter) -> None:
    writer.create(DIMENSION)
    with pytest.raises(GalleryIndexError, match="not for cosines of 12 numbers"):
        writer.create(12)
    with pytest.raises(NotFoundError, match="no such vector bucket"):
        S3VectorsWriter(VectorIndexName("other", index.name)).create(DIMENSION)


def test_a_missing_permission_is_named(writer: S3VectorsWriter, vectors_server: S3VectorsServer) -> None:
    vectors_server.fail_next("AccessDeniedException")
    with pytest.raises(StorageError, match="access denied"):
        writer.delete(["a.jpg"])


def test_the_error_without_a_region_says_what_to_set(index: VectorIndexName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(StorageError, match="set AWS_DEFAULT_REGION"):
        S3VectorsWriter(index)


def test_folders_too_deep_for_the_metadata_are_refused_beforehand(
    writer: S3VectorsWriter, vectors_server: S3VectorsServer
) -> None:
    rows = np.ones(DIMENSION, np.float16)
    deepest = max(depth for depth in range(500) if metadata_problem("d/" * depth + "a.jpg") is None)
    writer.put({"d/" * deepest + "a.jpg": ('"1"', rows)})  # the engine accepts it
    assert "too long for a vector index" in str(metadata_problem("d/" * (deepest + 1) + "a.jpg"))
    assert metadata_problem("a//b.jpg")  # no storage accepts this

"""Congruence: the same gallery as a matrix and in S3 Vectors gives the same answers over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from embeddings.rebuild import rebuild
from tests.functions.conftest import IMAGE_BASE, MODEL, Service, serve
from tests.functions.http_client import Answer
from tests.servers import s3vectors
from tests.servers.s3vectors import S3VectorsServer

pytestmark = pytest.mark.slow  # starts the service

PREFIXES = (
    "shirts",
    "shirts/",
    "shoes",
    "shoes/summer",
    "coats",
    "hüte",
    "shirt",
    "shoes/sum",
    "no",
    "a//b",
    "shirts/80.jpg",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[S3VectorsServer]:
    with S3VectorsServer() as server:
        server.buckets["shop"] = {}
        server.page_size = 10
        yield server


@pytest.fixture(scope="module")
def asking(engine: S3VectorsServer, gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same photos, with a model of the same file, behind the same server."""
    folder = tmp_path_factory.mktemp("asking")
    environment = {
        "AWS_ENDPOINT_URL_S3VECTORS": engine.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        rebuild(str(gallery), str(folder / "index"), model=MODEL, vector_bucket="shop")
    settings = {"INDEX_URI": str(folder / "index"), "IMAGE_BASE_URL": IMAGE_BASE, **environment}
    with serve(folder / "log", **settings) as service:
        yield service


@pytest.fixture(autouse=True)
def whole(engine: S3VectorsServer) -> None:
    engine.requests.clear()


def same(first: Answer, second: Answer) -> None:
    assert first.status == second.status
    if first.status != 200:
        assert first.json == second.json
        return
    assert first.keys == second.keys
    scores = [[result["score"] for result in answer.json["results"]] for answer in (first, second)]
    assert scores[0] == pytest.approx(scores[1], abs=1.5e-6)
    assert [each["url"] for each in first.json["results"]] == [each["url"] for each in second.json["results"]]
    assert first.json["query"] == second.json["query"]
    assert first.json["index"]["count"] == second.json["index"]["count"]


def queries() -> list[dict[str, object]]:
    found: list[dict[str, object]] = [{}, {"k": 1}, {"k": 100}, {"k": 100, "offset": 900}, {"k": 5, "offset": 7}]
    found += [{"prefix": prefix, "k": 20} for prefix in PREFIXES]
    found += [{"min_score": least} for least in (-1, 0, 0.5, 0.99, 1)]
    found += [{"dedupe": least} for least in (0.5, 0.9, 0.999, 1)]
    found += [{"dedupe": 0.95, "min_score": 0.1, "prefix": "shirts", "k": 3, "offset": 1}]
    return [*found, {"k": 101}, {"k": 100, "offset": 901}, {"dedupe": 2}, {"min_score": "x"}]


@pytest.mark.parametrize("parameters", queries(), ids=str)
def test_uploads(parameters: dict[str, object], service: Service, asking: Service, photos: dict[str, bytes]) -> None:
    for key in ("shirts/80.jpg", "coats/1.jpg"):
        path = f"/v1/search?{urlencode(parameters)}"
        same(service.upload(path, photos[key]), asking.upload(path, photos[key]))


def test_a_box_of_an_upload(service: Service, asking: Service, photos: dict[str, bytes]) -> None:
    path = "/v1/search?box=0.1,0.2,0.5,0.5"
    same(service.upload(path, photos["shirts/wide 80+.png"]), asking.upload(path, photos["shirts/wide 80+.png"]))


@pytest.mark.parametrize("parameters", queries(), ids=str)
def test_similar_to_a_key(parameters: dict[str, object], service: Service, asking: Service) -> None:
    for key in ("shoes/summer/50.jpg", "coats/2.jpg", "hüte/grün & 50%.webp"):
        path = f"/v1/similar?{urlencode({'key': key, **parameters})}"
        same(service.get(path), asking.get(path))


@pytest.mark.parametrize("key", ["", "no such.jpg", "shirts", "shirts/", "a/../b.jpg", "x" * 2000, "\x00"])
def test_keys_that_are_unknown(key: str, service: Service, asking: Service) -> None:
    path = f"/v1/similar?{urlencode({'key': key})}"
    same(service.get(path), asking.get(path))


def test_every_photo_finds_the_same(service: Service, asking: Service, photos: dict[str, bytes]) -> None:
    for key in photos:
        path = f"/v1/similar?{urlencode({'key': key, 'k': 34})}"
        same(service.get(path), asking.get(path))


@pytest.mark.parametrize("prefix", ["", *PREFIXES])
def test_random(prefix: str, service: Service, asking: Service, photos: dict[str, bytes]) -> None:
    path = f"/v1/random?{urlencode({'prefix': prefix, 'k': 5})}"
    exact, found = service.get(path), asking.get(path)
    assert exact.status == found.status
    if found.status != 200:
        assert exact.json == found.json
        return
    key = found.json["query"]["key"]
    assert key in photos
    assert key.startswith(prefix)
    similar = service.get(f"/v1/similar?{urlencode({'key': key, 'prefix': prefix, 'k': 5})}")
    assert similar.keys == found.keys


def test_the_routes_of_the_first_version(service: Service, asking: Service, photos: dict[str, bytes]) -> None:
    assert service.upload("/", photos["shirts/80.jpg"]).json == asking.upload("/", photos["shirts/80.jpg"]).json
    urls = asking.get("/random").json
    assert len(urls) == len(set(urls)) == 17


def test_what_the_index_says_of_itself(service: Service, asking: Service) -> None:
    exact, found = service.get("/v1/index").json, asking.get("/v1/index").json
    own = ("generation", "built_at")
    assert {name: each for name, each in exact.items() if name not in own} == {
        name: each for name, each in found.items() if name not in own
    }


def test_an_engine_that_fails_is_storage_that_fails(asking: Service, engine: S3VectorsServer) -> None:
    for code in ("TooManyRequestsException", "AccessDeniedException"):
        engine.fail_next(code, times=2)
        answer = asking.get("/v1/similar?key=shirts/80.jpg")
        assert answer.problem == (503, "storage-unavailable")
        assert answer.header("Retry-After") == "10"
        engine._faults.clear()


def test_an_engine_that_goes_less_deep_says_so(asking: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3vectors, "MOST_RESULTS", 100)
    assert asking.get("/v1/similar?key=shirts/80.jpg&k=99").status == 200
    answer = asking.get("/v1/similar?key=shirts/80.jpg&k=90&offset=50")
    assert answer.problem == (400, "parameter-invalid")
    assert "offset + k" in answer.json["detail"]


def test_the_answer_is_timed_and_no_photo_goes_to_the_engine(
    asking: Service, engine: S3VectorsServer, photos: dict[str, bytes]
) -> None:
    answer = asking.upload("/v1/search?prefix=shirts", photos["shirts/80.jpg"])
    assert "search;dur=" in str(answer.header("Server-Timing"))
    [(operation, asked)] = engine.requests
    assert operation == "QueryVectors"
    assert asked.keys() == {"vectorBucketName", "indexName", "topK", "queryVector", "returnDistance", "filter"}
    assert asked["filter"] == {"folders": {"$eq": "shirts"}}

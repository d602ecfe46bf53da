"""The service says what the model sees in an upload and in its results, and filters by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.rebuild import rebuild
from embeddings.sight import with_sight
from tests.functions.conftest import IMAGE_BASE, MODEL, Service, serve
from tests.photos import photo
from tests.sights import SIGHT


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory, gallery: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("seeing")
    model = folder / "seeing.tflite"
    model.write_bytes(with_sight(MODEL.with_name("attributes.tflite").read_bytes(), SIGHT))
    rebuild(str(gallery), str(folder / "index"), model=model)
    with serve(folder / "log", INDEX_URI=str(folder / "index"), IMAGE_BASE_URL=IMAGE_BASE) as running:
        yield running


def test_an_upload_is_told_what_was_seen_in_it(seeing: Service) -> None:
    query = seeing.upload("/v1/search", photo("blue")).json["query"]
    assert query["seen"]["colour"] == [{"value": "blue", "probability": pytest.approx(1, abs=0.01), "sure": True}]
    [kind] = query["seen"]["kind"]
    assert (kind["value"], kind["sure"]) == ("shirts", False)
    assert [each["value"] for each in query["seen"]["words"]] == ["check"]


def test_results_say_what_is_seen_and_are_filtered_by_it(seeing: Service) -> None:
    answer = seeing.upload("/v1/search?k=5&where=seen.colour:green&facets=seen.colour", photo("blue")).json
    assert {each["seen"]["colour"] for each in answer["results"]} == {"green"}
    assert answer["facets"]["seen.colour"]["values"][0]["value"] == "green"
    columns = {each["name"]: each for each in seeing.get("/v1/index").json["columns"]}
    assert set(columns) == {"seen.colour", "seen.words"}
    assert set(columns["seen.colour"]["values"]) == {"blue", "green", "red"}
    bare = seeing.upload("/v1/search?k=5&fields=", photo("blue")).json
    assert not any("seen" in each for each in bare["results"])


def test_a_model_that_does_not_tell_says_nothing(service: Service) -> None:
    answer = service.upload("/v1/search", photo("blue")).json
    assert "seen" not in answer["query"]
    assert not any("seen" in each for each in answer["results"])

"""The service says what the model sees in an upload and in its results, and filters by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embeddings.rebuild import FeedOptions, rebuild
from tests.functions.conftest import IMAGE_BASE, Service, serve
from tests.photos import photo
from tests.sights import write_seeing_model


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory, gallery: Path) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("seeing")
    feed = folder / "feed.csv"
    feed.write_text(
        "id,key,title,brand\n1,shirts/80.jpg,Linen shirt,Nordhem\n2,shoes/summer/50.jpg,Shoe,Alba\n"
        "3,shoes/summer/20.jpg,Linen shoe,Alba\n"
    )
    rebuild(str(gallery), str(folder / "index"), model=write_seeing_model(folder), feed=FeedOptions(uri=str(feed)))
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
    assert {"seen.colour", "seen.words", "brand"} <= set(columns)
    assert set(columns["seen.colour"]["values"]) == {"blue", "green", "red"}
    bare = seeing.upload("/v1/search?k=5&fields=", photo("blue")).json
    assert not any("seen" in each for each in bare["results"])


def test_a_model_that_does_not_tell_says_nothing(service: Service) -> None:
    answer = service.upload("/v1/search", photo("blue")).json
    assert "seen" not in answer["query"]
    assert not any("seen" in each for each in answer["results"])


def meant(query: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(value, each["wanted"]) for each in query["words"]["meant"] for value in each["values"]]


def test_words_alone_find_photos(seeing: Service) -> None:
    answer = seeing.get("/v1/words?q=in+Red,+not+blue&k=4&prefix=shirts").json
    assert meant(answer["query"]) == [("red", True), ("blue", False)]
    assert (answer["query"]["q"], len(answer["results"])) == ("in Red, not blue", 4)
    assert seeing.get("/v1/words?q=red&where=-seen.colour:blue").keys[0].startswith("shirts/")
    pages = [*seeing.get("/v1/words?q=red&k=3").keys, *seeing.get("/v1/words?q=red&k=3&offset=3").keys]
    assert pages == seeing.get("/v1/words?q=red&k=6").keys


def test_words_overrule_a_photo(seeing: Service) -> None:
    blue = photo("#000080")
    plain = seeing.upload("/v1/search?k=1", blue).keys
    green = seeing.upload("/v1/search?k=1", blue, q="not in blue but green").json
    assert plain[0].startswith("shoes/")
    assert green["results"][0]["seen"]["colour"] == "green"
    assert meant(green["query"]) == [("blue", False), ("green", True)]
    similar = seeing.get("/v1/similar?key=shoes/summer/80.jpg&q=green,+not+blue&k=1").json
    assert similar["results"][0]["seen"]["colour"] == "green"
    assert seeing.get("/v1/random?q=green&k=1").json["query"]["q"] == "green"


def test_words_that_mean_nothing_are_named_and_no_error(seeing: Service) -> None:
    answer = seeing.get("/v1/words?q=zebra+jupon").json
    assert (answer["results"], answer["query"]["words"]["unknown"]) == ([], ["zebra", "jupon"])
    some = seeing.get("/v1/words?q=zebra+red&k=2").json
    assert (len(some["results"]), some["query"]["words"]["unknown"]) == (2, ["zebra"])
    blue = photo("blue")
    assert seeing.upload("/v1/search?q=zebra", blue).keys == seeing.upload("/v1/search", blue).keys


def test_words_of_titles_and_brands_narrow(seeing: Service) -> None:
    answer = seeing.get("/v1/words?q=alba+shoes+not+linen+red&k=10").json
    assert answer["query"]["words"]["named"] == [{"word": "alba", "wanted": True}, {"word": "linen", "wanted": False}]
    assert {each["product"]["brand"] for each in answer["results"]} == {"Alba"}
    named = seeing.get("/v1/words?q=nordhem").json
    assert {each["product"]["brand"].lower() for each in named["results"]} == {"nordhem"}


@pytest.mark.parametrize("path", ["/v1/words", "/v1/words?q=+", f"/v1/words?q={'red+' * 60}"])
def test_words_that_cannot_be_read_are_refused(seeing: Service, path: str) -> None:
    answer = seeing.get(path)
    assert answer.problem == (400, "parameter-invalid")
    assert "q" in answer.json["title"]


def test_a_model_that_does_not_tell_cannot_be_asked_in_words(service: Service) -> None:
    for answer in (service.get("/v1/words?q=red"), service.upload("/v1/search?q=red", photo("blue"))):
        assert answer.problem == (400, "parameter-invalid")
        assert "does not tell what it sees" in answer.json["detail"]


def test_answers_to_words_may_be_kept(seeing: Service) -> None:
    answer = seeing.get("/v1/words?q=red")
    known = answer.header("ETag")
    assert known
    assert seeing.get("/v1/words?q=red", **{"If-None-Match": known}).status == 304
    assert seeing.get("/v1/words?q=blue").header("ETag") != known

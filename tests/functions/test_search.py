"""The routes that search, on the running server."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from PIL import Image

from embeddings import Embedder
from tests.functions.conftest import IMAGE_BASE, MODEL, Service
from tests.functions.http_client import openapi
from tests.photos import photo

RED, WIDE = "shirts/80.jpg", "shirts/wide 80+.png"


def url_of(key: str) -> str:
    return f"{IMAGE_BASE}/{quote(key)}"


@pytest.fixture(scope="session")
def similarities(photos: dict[str, bytes]) -> dict[str, dict[str, float]]:
    """Cosines worked out plainly: key -> key -> cosine."""
    vectors = Embedder(MODEL).embed(list(photos.values()))
    cosines = vectors @ vectors.T
    return {key: dict(zip(photos, row.tolist(), strict=True)) for key, row in zip(photos, cosines, strict=True)}


def test_the_original_search_answers_16_urls_best_first(service: Service, photos: dict[str, bytes]) -> None:
    urls = service.upload("/", photos[RED]).json
    assert len(urls) == len(set(urls)) == 16
    assert urls[0] == url_of(RED)
    assert url_of(WIDE) in urls


def test_the_original_search_ignores_parameters(service: Service, photos: dict[str, bytes]) -> None:
    assert len(service.upload("/?k=3", photos[RED], k="2").json) == 16


def test_the_original_random_answers_17_urls(service: Service) -> None:
    firsts = set()
    for _ in range(12):
        urls = service.get("/random").json
        assert len(urls) == len(set(urls)) == 17
        firsts.add(urls[0])
    assert len(firsts) > 1


def test_a_search_ranks_by_cosine(
    service: Service, photos: dict[str, bytes], similarities: dict[str, dict[str, float]]
) -> None:
    answer = service.upload("/v1/search", photos[WIDE]).json
    scores = [result["score"] for result in answer["results"]]
    keys = [result["key"] for result in answer["results"]]
    assert keys[0] == WIDE
    assert len(keys) == 16
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx([similarities[WIDE][key] for key in keys], abs=1e-3)
    assert min(scores) >= max(similarities[WIDE][key] for key in photos if key not in keys) - 1e-3
    assert all(round(score, 6) == score for score in scores)
    assert [result["url"] for result in answer["results"]] == [url_of(key) for key in keys]


def test_a_search_repeats_the_request_and_names_the_index(service: Service, photos: dict[str, bytes]) -> None:
    answer = service.upload("/v1/search?k=2", photos[RED]).json
    assert answer["query"] == {
        "k": 2,
        "offset": 0,
        "prefix": "",
        "min_score": None,
        "dedupe": None,
        "where": [],
        "group": None,
        "fields": None,
        "facets": [],
        "box": [0.0, 0.0, 1.0, 1.0],
    }
    index = service.get("/v1/index").json
    assert answer["index"] == {name: index[name] for name in ("generation", "count", "built_at", "model")}
    assert index["count"] == len(photos)
    assert (index["failed"], index["held"], index["stale"], index["dimension"]) == (0, False, False, 48)


def test_a_raw_body_finds_the_same_as_a_form(service: Service, photos: dict[str, bytes]) -> None:
    in_form = service.upload("/v1/search", photos[RED]).json
    for content_type in ("image/jpeg", "image/anything; charset=x", "application/octet-stream", "IMAGE/JPEG"):
        assert service.send("/v1/search", photos[RED], content_type).json == in_form


def test_a_chunked_upload_without_length_finds_the_same(service: Service, photos: dict[str, bytes]) -> None:
    in_form = service.upload("/v1/search", photos[RED]).json
    chunks = (photos[RED][start : start + 1000] for start in range(0, len(photos[RED]), 1000))
    headers = {"Content-Type": "image/jpeg"}
    assert service.ask("POST", "/v1/search", chunks, headers, encode_chunked=True).json == in_form


def test_formats(service: Service) -> None:
    for format_ in ("JPEG", "PNG", "WEBP"):
        found = service.upload("/v1/search?k=4&prefix=shirts", photo("#800000", format=format_)).keys
        assert RED in found[:2], format_


def test_orientation_is_applied(service: Service) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = photo("#800000", exif=exif)
    keys = service.upload("/v1/search?k=1", turned).json
    assert keys["results"][0]["score"] < 0.9999  # lying on its side it is not the same photo


@pytest.mark.parametrize("k", ["1", "100", "007"])
def test_k(service: Service, photos: dict[str, bytes], k: str) -> None:
    assert len(service.upload(f"/v1/search?k={k}", photos[RED]).keys) == min(int(k), len(photos))


def test_pages_fit_together(service: Service, photos: dict[str, bytes]) -> None:
    whole = service.upload("/v1/search?k=30", photos[RED]).keys
    pages = [service.upload(f"/v1/search?k=7&offset={offset}", photos[RED]).keys for offset in range(0, 28, 7)]
    assert [key for page in pages for key in page] == whole[:28]
    assert service.upload("/v1/search?k=1&offset=999", photos[RED]).keys == []


def test_prefix_is_a_folder_and_applied_before_the_cut(service: Service, photos: dict[str, bytes]) -> None:
    blue = photos["shoes/summer/80.jpg"]
    for prefix in ("shirts", "shirts/"):
        keys = service.upload(f"/v1/search?k=10&prefix={prefix}", blue).keys
        assert sorted(keys) == sorted(key for key in photos if key.startswith("shirts/"))
    assert len(service.upload("/v1/search?prefix=shoes", blue).keys) == 10
    assert service.upload("/v1/search?prefix=h%C3%BCte", blue).keys == ["hüte/grün & 50%.webp"]
    assert service.upload("/v1/search?prefix=shirt", blue).keys == []
    assert service.upload("/v1/search?prefix=nothing/here", blue).keys == []


def test_min_score(service: Service, photos: dict[str, bytes]) -> None:
    results = service.upload("/v1/search?k=100", photos[RED]).json["results"]
    limit = results[5]["score"]
    found = service.upload(f"/v1/search?k=100&min_score={limit}", photos[RED]).json["results"]
    assert found == [result for result in results if result["score"] >= limit]
    assert len(service.upload("/v1/search?k=100&min_score=-1", photos[RED]).keys) == len(photos)


def test_dedupe_comes_before_the_cut(service: Service, photos: dict[str, bytes]) -> None:
    coat = photos["coats/0.jpg"]
    assert service.upload("/v1/search?k=3", coat).keys == ["coats/0.jpg", "coats/1.jpg", "coats/2.jpg"]
    keys = service.upload("/v1/search?k=3&dedupe=0.9999", coat).keys
    assert keys[0] == "coats/0.jpg"
    assert len(keys) == 3
    assert not {"coats/1.jpg", "coats/2.jpg"} & set(keys)


def test_box_searches_by_a_part(service: Service, photos: dict[str, bytes]) -> None:
    """Two garments side by side: each half finds its own."""
    both = Image.new("RGB", (600, 400))
    both.paste(Image.open(BytesIO(photos[RED])), (0, 0))
    both.paste(Image.open(BytesIO(photos["skirts/b0.jpg"])), (300, 0))
    file = BytesIO()
    both.save(file, "PNG")
    left = service.upload("/v1/search?k=1&box=0,0,0.5,1", file.getvalue())
    assert left.keys == [RED]
    assert left.json["query"]["box"] == [0.0, 0.0, 0.5, 1.0]
    assert service.upload("/v1/search?k=1&box=0.5,0,0.5,1", file.getvalue()).keys == ["skirts/b0.jpg"]


def test_parameters_may_be_form_fields_and_the_query_wins(service: Service, photos: dict[str, bytes]) -> None:
    fields = {"k": "3", "prefix": "hüte", "box": "0.1,.1,0.5,5e-1", "min_score": "0.1"}
    answer = service.upload("/v1/search", photos[RED], **fields).json
    asked = {"k": 3, "prefix": "hüte", "min_score": 0.1, "box": [0.1, 0.1, 0.5, 0.5]}
    of_products: dict[str, object] = {"where": [], "group": None, "fields": None, "facets": []}
    assert answer["query"] == {"offset": 0, "dedupe": None, **of_products, **asked}
    assert service.upload("/v1/search?k=5", photos[RED], **fields).json["query"]["k"] == 5


def test_empty_parameters_count_as_not_given(service: Service, photos: dict[str, bytes]) -> None:
    """An HTML form also sends the inputs that a person left empty."""
    empty = dict.fromkeys(("k", "offset", "prefix", "min_score", "dedupe", "box"), "")
    assert service.upload("/v1/search", photos[RED], **empty).json == service.upload("/v1/search", photos[RED]).json
    assert service.get(f"/v1/random?{urlencode(empty)}").status == 200


def test_unknown_parameters_are_ignored(service: Service, photos: dict[str, bytes]) -> None:
    assert len(service.upload("/v1/search?utm_source=x&K=3", photos[RED], note="hello").keys) == 16


@pytest.mark.parametrize("key", [RED, WIDE, "hüte/grün & 50%.webp"])
def test_similar_to_a_key(service: Service, photos: dict[str, bytes], key: str) -> None:
    answer = service.get(f"/v1/similar?{urlencode({'key': key, 'k': 100})}")
    assert sorted([*answer.keys, key]) == sorted(photos)
    assert (answer.json["query"]["key"], answer.json["query"]["url"]) == (key, url_of(key))
    by_photo = [each for each in service.upload("/v1/search?k=100", photos[key]).keys if each != key]
    assert answer.keys[:3] == by_photo[:3]


def test_similar_takes_the_parameters_of_a_search(service: Service) -> None:
    keys = service.get("/v1/similar?key=coats/1.jpg&prefix=coats&k=5").keys
    assert keys == ["coats/0.jpg", "coats/2.jpg"]
    assert service.get("/v1/similar?key=coats/1.jpg&prefix=coats&offset=1").keys == ["coats/2.jpg"]
    assert service.get("/v1/similar?key=coats/1.jpg&prefix=coats&dedupe=0.9999").keys == ["coats/0.jpg"]


def test_random(service: Service, photos: dict[str, bytes]) -> None:
    for _ in range(5):
        answer = service.get("/v1/random?prefix=shirts&k=100")
        assert answer.json["query"]["key"].startswith("shirts/")
        assert sorted([*answer.keys, answer.json["query"]["key"]]) == sorted(
            key for key in photos if key.startswith("shirts/")
        )


def test_requests_at_the_same_time_do_not_mix(service: Service, photos: dict[str, bytes]) -> None:
    keys = [key for key in photos if not key.startswith("coats/")] * 4
    with ThreadPoolExecutor(12) as threads:
        found = threads.map(lambda key: service.upload("/v1/search?k=1", photos[key]).keys, keys)
        assert [key for (key,) in found] == keys


def test_openapi_is_served(service: Service) -> None:
    assert service.get("/openapi.json").json == openapi()


def test_health(service: Service, photos: dict[str, bytes]) -> None:
    service.upload("/", photos[RED])
    health = service.get("/healthz").json
    assert (health["status"], health["generation"]) == ("ok", service.get("/v1/index").json["generation"])
    assert health["versions"]["numpy"] == np.__version__

"""What browsers and CDNs may keep, for how long, and how they ask whether it has changed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from embeddings.rebuild import rebuild
from functions.search.image_urls import ImageUrls
from functions.search.routes import KEPT_SECONDS
from functions.settings import SearchSettings
from tests.functions.conftest import IMAGE_BASE, MODEL, Service, serve
from tests.functions.http_client import Answer
from tests.photos import photo

SIMILAR = "/v1/similar?key=coats/0.jpg"
KEPT = [SIMILAR, "/v1/index", "/openapi.json", "/docs"]
RED = photo("#800000")


def etag(answer: Answer) -> str:
    given = answer.header("ETag")
    assert given
    return given


@pytest.mark.parametrize("path", KEPT)
def test_it_may_be_kept_for_a_minute_and_is_confirmed_without_a_body(service: Service, path: str) -> None:
    answer = service.get(path)
    assert answer.header("Cache-Control") == f"public, max-age={KEPT_SECONDS}"
    known = etag(answer)
    # A proxy that compresses makes a strong ETag weak; a client may list several.
    for given in (known, known.removeprefix("W/"), f'"other", {known}'):
        again = service.get(path, **{"If-None-Match": given})
        assert (again.status, again.body) == (304, b"")
        assert again.header("ETag") == known
        assert again.header("Cache-Control") == answer.header("Cache-Control")
        assert again.header("Access-Control-Allow-Origin") == "*"
    for given in ("", '"other"', known[:-2], "*"):
        assert service.get(path, **{"If-None-Match": given}).status == 200
    assert service.ask("HEAD", path, None, {"If-None-Match": known}).status == 304


def test_a_confirmation_needs_no_search(service: Service) -> None:
    known = {"If-None-Match": etag(service.get(SIMILAR))}
    assert "search" not in (service.get(SIMILAR, **known).header("Server-Timing") or "")


def test_every_parameter_counts(service: Service) -> None:
    asked = ["", "&k=5", "&k=5&offset=5", "&prefix=coats", "&min_score=0.5", "&dedupe=0.9"]
    paths = [SIMILAR + each for each in asked] + ["/v1/similar?key=coats/1.jpg"]
    assert len({etag(service.get(path)) for path in paths}) == len(paths)
    assert etag(service.get("/v1/similar?k=5&key=coats/0.jpg")) == etag(service.get(SIMILAR + "&k=5")), "not the order"


def test_uploads_chance_health_and_errors_are_never_stored(service: Service) -> None:
    known = {"If-None-Match": etag(service.get(SIMILAR))}
    answers = [
        service.upload("/", RED),
        service.upload("/v1/search", RED),
        service.get("/random", **known),
        service.get("/v1/random", **known),
        service.get("/healthz", **known),
        service.get("/v1/similar?key=nothing", **known),
        service.get(SIMILAR + "&k=0", **known),
        service.ask("OPTIONS", SIMILAR, None, known),
    ]
    assert {answer.header("Cache-Control") for answer in answers} == {"no-store"}
    assert {answer.header("ETag") for answer in answers} == {None}


@pytest.fixture
def changing(tmp_path: Path, gallery: Path, index: Path) -> Iterator[tuple[Service, Path, Path]]:
    """A service that sees a new generation at once, with the gallery and index to change."""
    copies = tmp_path / "gallery", tmp_path / "index"
    for source, copy in zip((gallery, index), copies, strict=True):
        shutil.copytree(source, copy)
    settings = {"INDEX_URI": str(copies[1]), "IMAGE_BASE_URL": IMAGE_BASE, "REFRESH_SECONDS": "0"}
    with serve(tmp_path / "log", **settings) as running:
        yield running, *copies


def test_a_new_generation_is_another_answer(changing: tuple[Service, Path, Path]) -> None:
    service, gallery, index = changing
    known = {path: {"If-None-Match": etag(service.get(path))} for path in (SIMILAR, "/v1/index")}
    (gallery / "coats/new.jpg").write_bytes(photo("#606061"))
    rebuild(str(gallery), str(index), model=MODEL)
    for path, given in known.items():
        assert service.get(path, **given).status == 200
    assert "coats/new.jpg" in service.get(SIMILAR, **known[SIMILAR]).keys


@pytest.mark.parametrize("seconds", [1, 3, 60, 3600, 604_800])
def test_a_kept_answer_is_shown_before_its_urls_expire(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed at some time, confirmed again and again, kept once more: half of the signature's life is left."""
    environment = {"INDEX_URI": "s3://index", "GALLERY_URI": "s3://photos", "SIGNED_URL_SECONDS": str(seconds)}
    urls = ImageUrls(SearchSettings.read(environment))
    steps = [1_790_000_000 + step * seconds / 16 for step in range(64)]
    names = []
    for now in steps:
        monkeypatch.setattr("time.time", lambda now=now: now)
        kept, name = urls.keeping(KEPT_SECONDS)
        assert kept <= KEPT_SECONDS
        names.append(name)
    for signed, name in zip(steps, names, strict=True):
        last_confirmed = max(now for now, each in zip(steps, names, strict=True) if each == name)
        assert last_confirmed + kept - signed <= seconds / 2


def test_public_urls_do_not_change_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ImageUrls(SearchSettings.read({"INDEX_URI": "s3://index", "IMAGE_BASE_URL": IMAGE_BASE}))
    assert urls.keeping(KEPT_SECONDS) == (KEPT_SECONDS, IMAGE_BASE)


def test_a_browser_at_the_root_is_led_to_the_documents(service: Service) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    assert requests.get(f"http://127.0.0.1:{service.port}/", headers=browser, timeout=10).url.endswith("/docs")
    answer = service.ask("HEAD", "/", None, browser)
    assert (answer.status, answer.header("Location")) == (302, "/docs")
    for accept in ("*/*", "application/json", ""):
        assert service.get("/", Accept=accept).status == 405
    assert service.ask("POST", "/", RED, {"Content-Type": "image/jpeg", **browser}).status == 200
    assert service.get("/nowhere", **browser).status == 404


def test_the_documents_are_found_below_a_base_path(tmp_path: Path, index: Path) -> None:
    settings = {"INDEX_URI": str(index), "IMAGE_BASE_URL": IMAGE_BASE, "BASE_PATH": "/search"}
    with serve(tmp_path / "log", **settings) as service:
        for path in ("/search", "/search/"):
            answer = service.ask("HEAD", path, None, {"Accept": "text/html"})
            assert (answer.status, answer.header("Location")) == (302, "/search/docs")
        assert service.ask("HEAD", "/search/docs").status == 200

"""The page in a real browser, against the real functions on another origin."""

import json
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from scripts.local_service import HOST, ROOT
from tests.page.serving import Seen, Site, free_ports, serve_page

_ARTIFACTS = ROOT / "tests" / "artifacts"
_ALL_LOADED = """() => {
  const images = [...document.querySelectorAll("#results img")];
  return images.length === 16 && images.every(image => image.complete && image.naturalWidth > 0);
}"""


def _results(page: Page) -> list[str]:
    """Addresses of the sixteen results, once all of them are on the screen."""
    page.wait_for_function(_ALL_LOADED)
    return page.eval_on_selector_all("#results img", "images => images.map(image => image.src)")


def _keep(page: Page, name: str) -> None:
    _ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=_ARTIFACTS / f"{name}.png", full_page=True)


def _key(site: Site, photo: Path) -> str:
    return photo.relative_to(site.gallery).as_posix()


def test_upload_shows_the_photo_and_sixteen_results(page: Page, site: Site, seen: Seen, tmp_path: Path) -> None:
    garment = site.photos[4]
    with Image.open(garment) as drawn:
        drawn.resize((660, 880)).save(tmp_path / "my photo.png")
    page.goto(site.page_url)
    _keep(page, "page-empty")
    page.set_input_files("#photo", tmp_path / "my photo.png")
    results = _results(page)
    assert results[0] == f"{site.page_url}/gallery/{_key(site, garment)}"
    assert len(set(results)) == 16
    assert page.evaluate("document.getElementById('query-image').naturalWidth") == 660
    expect(page.locator("#query-name")).to_have_text("my photo.png")
    expect(page.get_by_role("status")).to_contain_text("The 16 most similar of 84 garments")
    _keep(page, "page-desktop")
    assert seen.console == []


def test_results_stand_four_by_four_and_in_two_columns_on_a_phone(page: Page, site: Site) -> None:
    page.goto(site.page_url)
    page.click("#random")
    _results(page)
    assert _columns(page) == 4
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    assert _columns(page) == 2
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    _keep(page, "page-phone-dark")


def _columns(page: Page) -> int:
    lefts = page.eval_on_selector_all("#results li", "items => items.map(item => item.getBoundingClientRect().left)")
    return len(set(lefts))


def test_random_shows_a_garment_that_is_not_among_its_results(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.page_url)
    page.get_by_role("button", name="Random garment").click()
    results = _results(page)
    query = page.get_attribute("#query-image", "src")
    assert query is not None
    assert query.startswith(f"{site.page_url}/gallery/")
    assert query not in results
    assert seen.console == []


def test_choosing_a_result_by_keyboard_shows_what_is_similar_to_it(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.page_url)
    page.set_input_files("#photo", site.photos[0])
    third = _results(page)[2]
    page.locator("#results button").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#query-image")).to_have_attribute("src", third)
    assert third not in _results(page)
    assert page.evaluate("document.activeElement.id") == "found-title"
    assert seen.console == []


def test_every_control_and_image_has_a_name(page: Page, site: Site) -> None:
    page.goto(site.page_url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.labels[0].textContent") == "Choose a photo"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "random"
    page.keyboard.press("Enter")
    _results(page)
    assert page.eval_on_selector_all("img", "images => images.filter(image => !image.alt).length") == 0
    assert page.locator("#results").get_by_role("button", name="Similar to").count() == 16


def test_a_text_file_is_refused_in_words(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    page.goto(site.page_url)
    page.set_input_files("#photo", tmp_path / "letter.jpg")
    expect(page.get_by_role("alert")).to_contain_text("JPEG, PNG or WebP")
    expect(page.locator("#query-unseen")).to_be_visible()
    expect(page.locator("#retry")).to_be_hidden()  # the same file would be refused again
    _keep(page, "page-refused")
    # What went wrong is over with the next search.
    page.set_input_files("#photo", site.photos[0])
    _results(page)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_service_that_is_down_is_said_in_words(page: Page, site: Site) -> None:
    with serve_page(ROOT / "site", site.gallery, f"http://{HOST}:{free_ports(1)[0]}", 0) as url:
        page.goto(url)
        page.click("#random")
        expect(page.get_by_role("alert")).to_contain_text("The search service cannot be reached")
        page.close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (413, '{"message": "Request Entity Too Large"}', "too large"),
        (429, '{"message": "Too Many Requests"}', "Too many searches"),
        (503, "<html><body>Service Unavailable</body></html>", "busy or just starting"),
        (504, "", "took too long"),
        (418, "short and stout", "answered with an error (418)"),
        (200, "<html>Welcome to your new web server</html>", "not the search service"),
    ],
)
def test_a_gateways_own_answer_becomes_words(page: Page, site: Site, status: int, body: str, words: str) -> None:
    page.route("**/v1/random", lambda route: _answer(route, status, body))
    page.goto(site.page_url)
    page.click("#random")
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_try_again_repeats_the_search(page: Page, site: Site) -> None:
    page.route("**/v1/search", lambda route: _answer(route, 503, ""), times=1)
    page.goto(site.page_url)
    page.set_input_files("#photo", site.photos[5])
    page.get_by_role("button", name="Try again").click()
    assert _results(page)[0].endswith(_key(site, site.photos[5]))
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_slow_start_is_explained(page: Page, site: Site) -> None:
    waiting: list[Route] = []
    page.route("**/v1/random", lambda route: waiting.append(route))
    page.goto(site.page_url)
    page.click("#random")
    expect(page.get_by_role("status")).to_have_text("Searching…")
    assert page.locator("#results .placeholder").count() == 16
    expect(page.get_by_role("status")).to_contain_text("waking up")
    waiting[0].continue_()
    _results(page)


def test_the_later_of_two_searches_wins(page: Page, site: Site, seen: Seen) -> None:
    waiting: list[Route] = []
    page.route("**/v1/random", lambda route: waiting.append(route))
    page.goto(site.page_url)
    page.click("#random")
    page.set_input_files("#photo", site.photos[7])
    results = _results(page)
    expect(page.locator("#query-title")).to_have_text("Your photo")
    assert results[0].endswith(_key(site, site.photos[7]))
    assert seen.console == []


def test_an_empty_gallery_and_a_lost_photo_are_said(page: Page, site: Site) -> None:
    lost = {"key": "hats/lost.jpg", "url": f"{site.page_url}/gallery/hats/lost.jpg", "score": 0.9}
    query = {"key": _key(site, site.photos[0]), "url": f"{site.page_url}/gallery/{_key(site, site.photos[0])}"}
    answers = [{"results": [], "query": query}, {"results": [lost], "index": {"count": 2}, "query": query}]
    page.route("**/v1/random", lambda route: _answer(route, 200, json.dumps(answers.pop(0))))
    page.goto(site.page_url)
    page.click("#random")
    expect(page.get_by_role("status")).to_contain_text("Nothing similar")
    page.click("#random")
    expect(page.locator("#results")).to_contain_text("The photo of lost is not available.")


def _answer(route: Route, status: int, body: str) -> None:
    # As a gateway answers when its own CORS setting is right.
    route.fulfill(status=status, body=body, headers={"Access-Control-Allow-Origin": "*"})

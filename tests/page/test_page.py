"""The page in a real browser, against the real functions on another origin."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from scripts.local.service import HOST, ROOT
from tests.page.serving import BOTH, Seen, Site, free_ports, keep_screenshot, results_of, serve_page

pytestmark = pytest.mark.slow


def _key(site: Site, photo: Path) -> str:
    return photo.relative_to(site.gallery).as_posix()


@BOTH
def test_upload_shows_the_photo_and_sixteen_results(
    page: Page, site: Site, seen: Seen, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    device = request.node.callspec.params["page"]
    garment = site.photos[4]
    with Image.open(garment) as drawn:
        drawn.resize((660, 880)).save(tmp_path / "my photo.png")
    page.goto(site.page_url)
    page.locator("#wall img.loaded").nth(5).wait_for()
    keep_screenshot(page, f"page-{device}-start")
    page.set_input_files("#photo", tmp_path / "my photo.png")
    results = results_of(page)
    assert results[0] == f"{site.page_url}/gallery/{_key(site, garment)}"
    assert len(set(results)) == 16
    expect(page.locator("#query-title")).to_have_text("Your photo")
    expect(page.get_by_role("status")).to_have_text("The 16 most similar of 84 garments.")
    text = page.locator("main").inner_text()
    assert "photo.png" not in text
    assert ".jpg" not in text
    assert "1.0" not in text
    columns = page.eval_on_selector_all("#results li", "items => items.map(item => item.getBoundingClientRect().left)")
    assert len(set(columns)) == (4 if device == "desktop" else 2)
    assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("innerWidth")
    keep_screenshot(page, f"page-{device}")
    page.emulate_media(color_scheme="dark")
    keep_screenshot(page, f"page-{device}-dark")
    assert seen.console == []


def test_random_shows_a_garment_that_is_not_among_its_results(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.page_url)
    page.get_by_role("button", name="Random").click()
    results = results_of(page)
    query = page.get_attribute("#query-image", "src")
    assert query is not None
    assert query.startswith(f"{site.page_url}/gallery/")
    assert query not in results
    assert seen.console == []


def test_choosing_a_result_by_keyboard_shows_what_is_similar_to_it(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.page_url)
    page.set_input_files("#photo", site.photos[0])
    third = results_of(page)[2]
    page.locator("#results a").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#query-image")).to_have_attribute("src", third)
    assert third not in results_of(page)
    assert page.evaluate("document.activeElement.id") == "found-title"
    assert seen.console == []


def test_more_continues_after_the_first_results(page: Page, site: Site, seen: Seen) -> None:
    page.goto(f"{site.page_url}/?key={_key(site, site.photos[3])}")
    first = results_of(page)
    page.get_by_role("button", name="Show more").dispatch_event("click")  # a real one scrolls, which loads more, too
    expect(page.locator("#results .placeholder")).to_have_count(0)
    assert page.url.endswith("&shown=32")
    both = results_of(page, page.locator("#results .card").count())
    assert both[:16] == first
    assert len(set(both)) == len(both) > 16
    assert seen.console == []


def test_an_unlike_photo_shows_the_closest_results_with_a_hint(page: Page, site: Site, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), "black").save(tmp_path / "dark.png")
    page.goto(site.page_url)
    page.set_input_files("#photo", tmp_path / "dark.png")
    assert len(results_of(page)) == 16
    expect(page.locator("#hint")).to_have_text("Nothing here looks very similar. These come closest.")
    keep_screenshot(page, "page-nothing-similar")
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(page.locator("#hint")).to_be_hidden()


def test_an_outdated_address_gives_visitors_a_plain_message(page: Page, site: Site) -> None:
    page.goto(f"{site.page_url}/?key=no/such.jpg")
    words = "The gallery has no image with this key; it may have been removed."
    expect(page.locator("#problem-text")).to_have_text(words)
    expect(page.locator("#query, #found").locator("visible=true")).to_have_count(0)
    page.get_by_role("button", name="Start anew").click()
    expect(page.locator("#start")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page.url == f"{site.page_url}/"


def test_a_service_that_is_down_gives_a_plain_message(page: Page, site: Site) -> None:
    with serve_page(ROOT / "site", site.gallery, f"http://{HOST}:{free_ports(1)[0]}", 0) as url:
        page.goto(url)
        expect(page.get_by_role("alert")).to_contain_text("The search service cannot be reached")  # without its photos
        page.click("#random")
        expect(page.get_by_role("alert")).to_contain_text("The search service cannot be reached")
        page.close()

"""The page's start: a wall of photos, and the garments a visitor keeps."""

import pytest
from playwright.sync_api import Page, expect

from tests.page.serving import BOTH, Seen, keep_screenshot, results_of
from tests.page.stub import Stub

pytestmark = pytest.mark.slow


@BOTH
def test_the_start_is_a_wall_of_photos_to_choose_from(page: Page, page_url: str, stub: Stub, seen: Seen) -> None:
    page.goto(page_url)
    photos = page.locator("#wall a")
    photos.nth(23).wait_for()
    page.locator("#wall img.loaded").nth(3).wait_for()
    assert page.evaluate("layoutShift") < 0.01
    photos.nth(2).click()
    results_of(page)
    expect(page.locator("#query-image")).to_have_attribute("src", f"{stub.image_base}/{stub.keys[25]}")
    walls = stub.walls
    page.go_back()
    expect(photos.nth(2)).to_be_visible()
    assert stub.walls == walls  # it is still there
    assert seen.console == []


def test_the_wall_grows_by_scrolling_and_repeats_nothing(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(page_url)
    page.locator("#wall a").nth(23).wait_for()
    page.locator("#more-wall").scroll_into_view_if_needed()
    page.locator("#wall a").nth(40).wait_for()
    page.wait_for_timeout(300)
    sources = page.eval_on_selector_all("#wall img", "images => images.map(image => image.src)")
    assert len(set(sources)) == len(sources)


def test_kept_garments_outlive_a_reload_and_have_an_address(page: Page, page_url: str, stub: Stub) -> None:
    stub.products = {stub.keys[2]: {"title": "Linen shirt", "link": "https://shop.example/7"}}
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    expect(page.locator("#open-kept")).to_be_hidden()
    keep = page.locator("#results [data-keep]").nth(1)
    expect(keep).to_have_accessible_name("Keep Linen shirt")
    keep.focus()
    page.keyboard.press("Enter")
    expect(keep).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Kept (1)").click()
    expect(page.locator("#kept .card")).to_have_attribute("href", "https://shop.example/7")
    assert page.url == f"{page_url}/?kept="
    page.reload()
    expect(page.locator("#kept .title")).to_have_text("Linen shirt")
    keep_screenshot(page, "page-kept")
    page.locator("#kept [data-keep]").click()
    expect(page.locator("#open-kept")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("You have kept nothing yet")


def test_a_kept_photo_whose_address_has_expired_gets_a_new_one(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(page_url)
    kept = [{"key": stub.keys[3], "url": f"{page_url}/gallery/expired.jpg"}]
    page.evaluate("kept => localStorage.setItem('kept-garments', JSON.stringify(kept))", kept)
    page.goto(f"{page_url}/?kept=")
    page.locator("#kept img.loaded").wait_for()
    assert page.get_attribute("#kept img", "src") == f"{stub.image_base}/{stub.keys[3]}"


def test_a_photo_is_looked_at_larger(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    page.get_by_role("button", name="Look closer").nth(1).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_attribute("src", f"{stub.image_base}/{stub.keys[2]}")
    keep_screenshot(page, "page-larger")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Look closer").nth(1).click()
    dialog.get_by_role("link").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#query-image")).to_have_attribute("src", f"{stub.image_base}/{stub.keys[2]}")


def test_the_heading_leads_back_to_the_start(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    page.get_by_role("link", name="Similar garments").click()
    expect(page.locator("#start")).to_be_visible()
    page.locator("#wall a").nth(23).wait_for()
    assert page.evaluate("document.activeElement.id") == "start-title"

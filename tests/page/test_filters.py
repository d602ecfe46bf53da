"""Filters, from what the service counts."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.serving import BOTH, Seen, Site, keep_screenshot, results_of
from tests.page.stub import Stub

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(stub: Stub) -> Stub:
    """The stub with brands and prices, and with folders."""
    stub.sell(("Nordhem", "Alba", "Two, Rivers"))
    stub.folders = ["bags", "hats"]
    return stub


def _toggle(page: Page, name: str) -> Locator:
    return page.locator("#filters").get_by_role("button", name=name)


def _where(stub: Stub) -> tuple[str, ...]:
    return stub.asked[-1].where


def _wait(page: Page) -> None:
    expect(page.locator("#results .placeholder")).to_have_count(0)


@BOTH
def test_filters_show_counts_and_add_up(page: Page, page_url: str, shop: Stub, seen: Seen) -> None:
    page.goto(f"{page_url}?key={shop.keys[0]}")
    results_of(page)
    assert page.evaluate("layoutShift") < 0.01
    assert shop.asked[0].parameters["facets"] == "brand,price"
    expect(page.locator("#filters button")).to_have_text(["Category", "Brand", "Price"])
    _toggle(page, "Brand").click()
    chips = page.locator("#offered button")
    expect(chips).to_have_text(["Nordhem 28", "Alba 28", "Two, Rivers 28"])
    chips.nth(1).press("Enter")
    expect(page.locator("#chosen")).to_have_text("Alba")
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "true")  # the values stay, for another one
    expect(chips.nth(1)).to_be_focused()
    _wait(page)
    expect(chips).to_have_text(["Nordhem 28", "Alba 28", "Two, Rivers 28"])
    chips.nth(2).click()
    expect(page.locator("#chosen")).to_have_text("AlbaTwo, Rivers")
    _wait(page)
    keep_screenshot(page, "page-filters")
    assert _where(shop) == ("brand:Alba,Two\\, Rivers",)
    expect(page.get_by_role("status")).to_have_text("The 16 most similar with these filters.")
    _toggle(page, "Price").click()
    page.get_by_label("from", exact=True).fill("30")
    page.get_by_label("from", exact=True).press("Enter")
    expect(page.locator("#chosen")).to_contain_text("Price from 30")
    _wait(page)
    assert _where(shop) == ("brand:Alba,Two\\, Rivers", "price:30..")
    page.get_by_role("button", name="Take off Alba").press("Enter")
    expect(page.locator("#chosen")).to_have_text("Two, RiversPrice from 30")
    expect(page.locator("#found-title")).to_be_focused()
    page.go_back()
    expect(page.locator("#chosen button")).to_have_count(3)
    assert seen.console == []


def test_an_address_with_filters_can_be_shared(page: Page, page_url: str, shop: Stub) -> None:
    where = ("brand:Two\\, Rivers,Alba", "price:..60.5", "-title:too_short")
    query = "".join(f"&where={condition}" for condition in (*where, "odd"))
    page.goto(f"{page_url}/?key={shop.keys[0]}&folder=hats{query}")
    chips = page.locator("#chosen button")
    expect(chips).to_have_text(["hats", "Two, Rivers", "Alba", "Price up to 60.5", "not too short"])
    _wait(page)
    assert shop.asked[0].where == where
    assert shop.asked[0].parameters["prefix"] == "hats"
    _toggle(page, "Category").click()
    expect(page.locator("#offered button")).to_have_text(["bags", "hats"])  # their counts are of all there is
    _toggle(page, "Brand").click()
    # The index has told the values; only those that the search left can be counted.
    expect(page.locator("#offered button").first).to_have_text("Nordhem")
    page.locator("#offered").get_by_role("button", name="Two, Rivers").click()
    _wait(page)
    assert "&folder=hats&where=brand%3AAlba&where=price%3A..60.5&" in page.url


def test_where_nothing_is_left_it_says_which_filter_to_take_off(page: Page, page_url: str, shop: Stub) -> None:
    page.goto(f"{page_url}?key={shop.keys[0]}&where=brand:Alba&where=price:..1")
    expect(page.locator("#empty p")).to_have_text("Nothing is left with “Price up to 1”.")
    keep_screenshot(page, "page-nothing-left")
    page.get_by_role("button", name="Take it off").click()
    results_of(page)
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#chosen")).to_have_text("Alba")
    assert page.evaluate("document.activeElement.id") == "found-title"


def test_one_folder_is_chosen_of_all_and_not_for_the_next_photo(
    page: Page, page_url: str, shop: Stub, site: Site, seen: Seen
) -> None:
    shop.folders = ["bags", "hats", "hüte & more"]
    page.goto(f"{page_url}/?key={shop.keys[0]}&shown=96")
    results_of(page, 83)
    _toggle(page, "Category").click()
    folders = page.locator("#offered button")
    expect(folders).to_have_text(["bags 1", "hats 1", "hüte & more 1"])
    folders.nth(2).click()
    expect(page.locator("#empty")).to_be_visible()
    assert shop.asked[-1].parameters["prefix"] == "hüte & more"
    folders.nth(1).click()
    assert all("/hats/" in url for url in results_of(page, 12))
    expect(page.locator("#chosen")).to_have_text("hats")
    assert page.url.endswith("&folder=hats")
    assert seen.requests.count(f"{shop.url}/v1/index") == 1
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(page.locator("#chosen")).to_be_hidden()
    assert "prefix" not in shop.asked[-1].parameters


def test_filters_show_all_that_they_leave_however_unlike(page: Page, page_url: str, shop: Stub, site: Site) -> None:
    shop.best_score = 0.3
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(page.locator("#hint")).to_be_visible()
    _toggle(page, "Category").click()
    page.locator("#offered button", has_text="hats").click()
    results_of(page, 12)
    expect(page.locator("#hint")).to_be_hidden()


def test_what_the_model_sees_is_offered_where_the_feed_does_not_tell(page: Page, page_url: str, stub: Stub) -> None:
    stub.columns = [{"name": name, "type": "text", "values": ["a", "b"]} for name in ("seen.colour", "seen.kind")]
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    results_of(page)
    assert stub.asked[0].parameters["facets"] == "seen.kind,seen.colour"
    stub.columns.append({"name": "color", "type": "list", "values": ["c"]})
    page.reload()
    results_of(page)
    assert stub.asked[1].parameters["facets"] == "seen.kind,color"


def test_a_gallery_without_folders_and_products_has_no_filters(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    results_of(page)
    expect(page.locator("#filters")).to_be_hidden()

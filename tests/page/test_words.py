"""A search in words, words that change a search, and what the service sees in a photo."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.serving import BOTH, Seen, Site, keep_screenshot, results_of
from tests.page.stub import Stub

pytestmark = pytest.mark.slow


def _line(page: Page) -> Locator:
    return page.get_by_role("textbox", name="In words")


@BOTH
def test_a_garment_is_described_and_the_search_has_an_address(
    page: Page, page_url: str, stub: Stub, seen: Seen, request: pytest.FixtureRequest
) -> None:
    device = request.node.callspec.params["page"]
    page.goto(page_url)
    expect(_line(page)).to_have_attribute("placeholder", "Describe it: red checked shirt")
    page.locator("#wall img.loaded").nth(5).wait_for()
    assert page.evaluate("layoutShift") < 0.01
    keep_screenshot(page, f"page-{device}-words-start")
    _line(page).fill(" red checked shirt ")
    _line(page).press("Enter")
    found = results_of(page)
    keep_screenshot(page, f"page-{device}-words")
    assert (stub.asked[-1].path, stub.asked[-1].parameters["q"]) == ("/v1/words", "red checked shirt")
    expect(page.locator("#query")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "found-title"
    assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("innerWidth")
    assert page.url == f"{page_url}/?q=red+checked+shirt"
    page.reload()
    assert results_of(page) == found
    expect(_line(page)).to_have_value("red checked shirt")
    page.locator("#results a").first.click()
    results_of(page)
    expect(page.locator(".crumb")).to_have_text(["red checked shirt", "black striped 01"])
    expect(_line(page)).to_have_value("")
    page.go_back()
    expect(_line(page)).to_have_value("red checked shirt")
    assert seen.console == []


def test_words_change_what_a_photo_finds_and_are_a_step_of_the_trail(
    page: Page, page_url: str, stub: Stub, site: Site, seen: Seen
) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(_line(page)).to_have_attribute("placeholder", "The same, but: in blue")
    for words in ("in blue", "without stripes"):
        _line(page).fill(words)
        page.get_by_role("button", name="Find").click()
        results_of(page)
        assert (stub.asked[-1].path, stub.asked[-1].parameters["q"]) == ("/v1/search", words)
        expect(page.locator(".crumb")).to_have_text(["Your photo", words])  # the new words are in place of the old
    assert page.url == f"{page_url}/"  # without the photo, the words would find something else
    page.go_back()
    expect(_line(page)).to_have_value("in blue")
    asked = len(stub.asked)
    _line(page).fill("")
    _line(page).press("Enter")
    expect(page.locator("#trail")).to_be_hidden()
    assert len(stub.asked) == asked  # the photo's own results are still there
    assert seen.console == []


def test_words_change_what_a_garment_finds_and_are_in_its_address(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}&q=in+blue")
    results_of(page)
    assert (stub.asked[-1].path, stub.asked[-1].parameters["q"]) == ("/v1/similar", "in blue")
    expect(_line(page)).to_have_value("in blue")
    _line(page).fill("in red")
    _line(page).press("Enter")
    results_of(page)
    assert page.url.endswith("&q=in+red")


def test_words_that_mean_nothing_are_named(page: Page, page_url: str, stub: Stub) -> None:
    stub.unknown = ("blurg", "zork")
    page.goto(f"{page_url}?q=red+blurg+zork")
    results_of(page)
    words = "Not understood: “blurg”, “zork”. The 16 most similar of 84 garments."
    expect(page.get_by_role("status")).to_have_text(words)
    page.goto(f"{page_url}?q=blurg")
    expect(page.locator("#empty p")).to_have_text("Nothing here is like “blurg”.")
    expect(page.get_by_role("status")).to_have_text("Not understood: “blurg”. Nothing found.")


def test_a_model_that_cannot_be_asked_in_words_is_not(page: Page, page_url: str, stub: Stub) -> None:
    stub.columns = [{"name": "brand", "type": "text", "values": ["Alba"]}]
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    expect(page.locator("#words")).to_be_hidden()


@BOTH
def test_what_is_seen_in_a_photo_filters_where_the_index_tells_it(
    page: Page, page_url: str, stub: Stub, site: Site, seen: Seen, request: pytest.FixtureRequest
) -> None:
    def told(*values: str) -> list[dict[str, object]]:
        return [{"value": value, "probability": 0.9 - at / 2, "sure": at == 0} for at, value in enumerate(values)]

    stub.seen = {"kind": told("dresses", "skirts"), "gender": told("women"), "colour": told("pink", "red")}
    stub.seen["words"] = told("dotted")
    stub.products = {key: {"seen.words": "dotted"} for key in stub.keys[:20]}
    stub.go_on.clear()
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    page.wait_for_timeout(700)  # shifts within half a second of a click do not count
    stub.go_on.set()
    results_of(page)
    chips = page.locator("#seen")
    expect(chips).to_have_text("We see:dressespinkdotted")
    assert page.evaluate("layoutShift") < 0.01
    keep_screenshot(page, f"page-{request.node.callspec.params['page']}-seen")
    expect(chips.get_by_role("button")).to_have_text(["dotted"])
    chips.get_by_role("button").click()
    results_of(page)
    assert stub.asked[-1].where == ("seen.words:dotted",)
    expect(page.locator("#chosen")).to_have_text("dotted")
    expect(chips.get_by_role("button")).to_have_attribute("aria-pressed", "true")
    chips.get_by_role("button").press("Enter")
    expect(page.locator("#chosen")).to_be_hidden()
    expect(chips.get_by_role("button")).to_be_focused()
    assert seen.console == []

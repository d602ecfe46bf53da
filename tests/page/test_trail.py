"""The trail of a visitor's steps: a photo, a part of it, filters, a garment."""

import pytest
from playwright.sync_api import Page, expect

from tests.page.serving import Seen, Site, draw_box, keep_screenshot, results_of
from tests.page.stub import Stub

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(stub: Stub) -> Stub:
    stub.sell(("Nordhem", "Alba", "Two, Rivers"))
    return stub


def _choose(page: Page, brand: str) -> None:
    page.locator("#offered button", has_text=brand).click()
    expect(page.locator("#results .placeholder")).to_have_count(0)


def test_crumbs_lead_back_without_another_request(
    page: Page, page_url: str, shop: Stub, site: Site, seen: Seen
) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    of_photo = results_of(page)
    trail, crumbs = page.locator("#trail"), page.locator(".crumb")
    expect(trail).to_be_hidden()
    page.locator("#filters button", has_text="Brand").click()
    _choose(page, "Alba")
    _choose(page, "Nordhem")
    expect(crumbs).to_have_text(["Your photo", "Alba, Nordhem"])  # filters are one step, however many
    draw_box(page, (0.2, 0.2), (0.7, 0.8))
    of_part = results_of(page)
    expect(crumbs).to_have_text(["Your photo", "Alba, Nordhem", "A part of it"])
    pictures = crumbs.locator(".picture").evaluate_all("all => all.map((each) => each.style.backgroundImage)")
    assert all(picture.startswith('url("blob:') for picture in pictures)
    part = crumbs.nth(2).locator(".picture").evaluate("(each) => [each.style.backgroundSize, each.clientWidth]")
    assert part == ["200% 166.667%", 24]  # half the width, three fifths of the height, in their shape
    page.locator("#results a").first.click()
    results_of(page)
    expect(crumbs).to_have_count(4)
    expect(crumbs.nth(3)).to_have_attribute("aria-current", "step")
    expect(page.locator("#chosen")).to_be_hidden()  # filters were for the search before
    keep_screenshot(page, "page-trail")
    asked = len(shop.asked)
    crumbs.nth(2).click()
    assert results_of(page) == of_part
    expect(page.locator("#crop")).to_be_visible()
    expect(page.locator("#chosen button")).to_have_count(2)
    assert page.evaluate("document.activeElement.id") == "found-title"
    crumbs.first.click()
    assert results_of(page) == of_photo
    expect(trail).to_be_hidden()
    page.go_back()
    expect(crumbs).to_have_count(3)
    assert len(shop.asked) == asked
    assert seen.console == []


def test_taking_off_what_narrowed_a_step_leads_to_the_step_before(
    page: Page, page_url: str, shop: Stub, site: Site
) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    crumbs = page.locator(".crumb")
    draw_box(page, (0.2, 0.2), (0.7, 0.8))
    results_of(page)
    page.locator("#filters button", has_text="Brand").click()
    _choose(page, "Alba")
    expect(crumbs).to_have_text(["Your photo", "A part of it", "Alba"])
    asked = len(shop.asked)
    page.get_by_role("button", name="Take off Alba").click()
    expect(crumbs).to_have_text(["Your photo", "A part of it"])
    page.go_back()
    assert len(shop.asked) == asked
    page.get_by_role("button", name="Use the whole photo").click()
    expect(crumbs).to_have_text(["Your photo", "Alba"])  # the filter stays
    results_of(page)
    assert shop.asked[-1].where == ("brand:Alba",)


def test_a_new_photo_begins_a_new_trail(page: Page, page_url: str, shop: Stub, site: Site) -> None:
    page.goto(f"{page_url}?key={shop.keys[0]}")
    results_of(page)
    page.locator("#results a").first.press("Enter")
    expect(page.locator(".crumb")).to_have_count(2)
    expect(page.locator(".crumb").last).to_have_text("Garment 1")
    page.get_by_role("link", name="Similar garments").click()
    expect(page.locator("#start")).to_be_visible()
    expect(page.locator("#trail")).to_be_hidden()
    page.go_back()
    expect(page.locator(".crumb")).to_have_count(2)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(page.locator("#trail")).to_be_hidden()

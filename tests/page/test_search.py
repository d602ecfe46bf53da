"""The page with a stub of a service that is slow, busy, unreachable or changed."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.serving import BOTH, Seen, Site, keep_screenshot, results_of
from tests.page.stub import Canned, Stub

pytestmark = pytest.mark.slow


def _show_more(page: Page) -> None:
    # A real click would first scroll to the button, and that loads more as well.
    page.get_by_role("button", name="Show more").dispatch_event("click")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (413, '{"message": "Request Entity Too Large"}', "too large"),
        (429, '{"message": "Too Many Requests"}', "Too many searches"),
        (503, "<html><body>Service Unavailable</body></html>", "busy or starting up"),
        (504, "", "took too long"),
        (418, "short and stout", "answered with an error (418)"),
        (200, "<html>Welcome to your new web server</html>", "did not come from the search service"),
    ],
)
def test_a_gateways_own_error_gets_a_plain_message(
    page: Page, page_url: str, stub: Stub, status: int, body: str, words: str
) -> None:
    stub.canned.append(Canned(status, body))
    page.goto(page_url)
    page.click("#random")
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_the_services_own_message_is_shown(page: Page, page_url: str) -> None:
    page.goto(f"{page_url}/?key=no/such.jpg")
    expect(page.locator("#problem-text")).to_have_text("No such image")
    expect(page.locator("#retry")).to_be_hidden()  # the same key would fail again


def test_try_again_repeats_the_search(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    stub.canned.append(Canned(503))
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[5])
    expect(page.get_by_role("alert")).to_be_visible()
    keep_screenshot(page, "page-problem")
    page.get_by_role("button", name="Try again").click()
    results_of(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert [asked.path for asked in stub.asked] == ["/v1/search", "/v1/search"]


def test_an_offline_search_continues_when_the_network_is_back(page: Page, page_url: str) -> None:
    page.goto(page_url)
    page.context.set_offline(True)
    page.click("#random")
    expect(page.get_by_role("alert")).to_contain_text("offline")
    page.context.set_offline(False)
    results_of(page)


@BOTH
def test_a_slow_start_shows_progress_and_shifts_nothing(
    page: Page, page_url: str, stub: Stub, request: pytest.FixtureRequest
) -> None:
    stub.go_on.clear()
    page.goto(page_url)
    # On a busy machine the half second until "waking up" is over before a test looks.
    page.evaluate("""() => document.querySelector("#random").addEventListener("click", () => {
      const shown = document.querySelectorAll("#results .placeholder").length;
      window.first = [document.querySelector("#status").textContent, document.querySelector("#waiting").hidden, shown];
    })""")
    page.click("#random")
    assert page.evaluate("first") == ["Searching…", True, 16]
    grounds = page.evaluate(
        "['.stage', '.waiting'].map((each) => getComputedStyle(document.querySelector(each)).backgroundColor)"
    )
    assert grounds[0] == grounds[1]  # both are placeholders, without white areas in dark mode
    expect(page.get_by_role("status")).to_contain_text("waking up")
    expect(page.get_by_role("progressbar")).to_be_visible()
    keep_screenshot(page, f"page-waiting-{request.node.callspec.params['page']}")
    page.wait_for_timeout(600)  # shifts count from half a second after the click
    stub.go_on.set()
    results_of(page)
    _show_more(page)
    results_of(page, 32)
    page.wait_for_timeout(600)
    assert page.evaluate("layoutShift") < 0.01
    stub.go_on.clear()
    page.click("#random")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Searching…")  # it has just answered, so it is awake


def test_a_search_can_be_cancelled_and_repeated(page: Page, page_url: str, stub: Stub) -> None:
    stub.go_on.clear()
    page.goto(page_url)
    page.click("#random")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled")
    expect(page.locator("#results .placeholder")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "retry"
    stub.go_on.set()
    page.keyboard.press("Enter")
    results_of(page)


def test_the_later_of_two_searches_wins(page: Page, page_url: str, site: Site, stub: Stub, seen: Seen) -> None:
    stub.go_on.clear()
    page.goto(page_url)
    page.click("#random")
    page.set_input_files("#photo", site.photos[7])
    page.wait_for_timeout(200)
    stub.go_on.set()
    results_of(page)
    expect(page.locator("#query-title")).to_have_text("Your photo")
    assert page.url == f"{page_url}/"
    assert seen.console == []


def test_back_restores_results_without_another_request(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[2])
    of_photo = results_of(page)
    _show_more(page)
    results_of(page, 32)
    card = page.locator("#results a").nth(13)
    card.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    chosen = stub.keys[13]
    card.click()
    results_of(page)
    assert page.url == f"{page_url}/?key={chosen.replace('/', '%2F')}"
    assert page.evaluate("scrollY") == 0
    asked = len(stub.asked)
    page.go_back()
    assert results_of(page, 32)[:16] == of_photo
    expect(page.locator("#query-title")).to_have_text("Your photo")
    assert page.evaluate("scrollY") == scrolled
    page.go_forward()
    expect(page.locator("#query-image")).to_have_attribute("src", f"{stub.image_base}/{chosen}")
    assert len(stub.asked) == asked


def test_back_after_a_long_time_searches_again_because_urls_expire(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(page_url)
    page.click("#random")
    shown = results_of(page)
    page.locator("#results a").first.click()
    results_of(page)
    asked = len(stub.asked)
    page.evaluate("const later = Date.now() + 16 * 60_000; Date.now = () => later")
    page.go_back()
    assert results_of(page) == shown
    assert len(stub.asked) == asked + 1


def test_a_reload_loses_the_photo_and_says_so(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[2])
    results_of(page)
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Your photo was not kept")
    expect(page.locator("#start")).to_be_visible()


def test_an_address_can_be_shared(page: Page, page_url: str, stub: Stub) -> None:
    key = next(key for key in stub.keys if key.startswith("shirts/"))
    page.goto(f"{page_url}/?key={key}&folder=dresses&shown=100")
    results_of(page, 12)  # all there are in the folder
    assert [asked.parameters["k"] for asked in stub.asked] == ["96"]
    assert {asked.parameters["prefix"] for asked in stub.asked} == {"dresses"}
    expect(page.locator("#query-image")).to_have_attribute("src", f"{stub.image_base}/{key}")
    expect(page.locator("#chosen")).to_have_text("dresses")
    expect(page.locator("#more")).to_be_hidden()
    assert page.title() == f"Similar to {key.split('/')[1].removesuffix('.jpg').replace('-', ' ')}"


def test_a_long_list_takes_several_requests(page: Page, page_url: str, stub: Stub) -> None:
    stub.keys = [f"shirts/{number:03}.jpg" for number in range(150)]
    page.goto(f"{page_url}/?key={stub.keys[0]}&shown=96")
    expect(page.locator("#results .card")).to_have_count(96)
    _show_more(page)
    expect(page.locator("#results .card")).to_have_count(112)
    assert page.url.endswith("&shown=112")
    stub.generation = "second"  # all pages are of one generation, so all are asked for again
    _show_more(page)
    expect(page.locator("#results .card")).to_have_count(128)
    asked = [(each.parameters["k"], each.parameters.get("offset")) for each in stub.asked]
    assert asked == [("96", None), ("16", "96"), ("16", "112"), ("100", None), ("28", "100")]


def test_an_address_asks_for_whole_pages_and_for_no_more_than_one_request_brings(page: Page, page_url: str) -> None:
    page.goto(page_url)
    read = """async (shown) => {
      history.replaceState(null, "", `?shown=${shown}`);
      return (await import("/url_state.js")).readAddress().shown;
    }"""
    whole_pages = {"": 16, "0": 16, "-5": 16, "many": 16, "1": 16, "17": 32, "96": 96}
    too_many = dict.fromkeys(("97", "1001", "99999", "1e999"), 96)
    expected = whole_pages | too_many
    assert {shown: page.evaluate(read, shown) for shown in expected} == expected


def test_more_starts_again_when_the_gallery_has_changed(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    before = results_of(page)
    stub.generation = "second"
    stub.keys.remove(stub.keys[4])
    _show_more(page)
    after = results_of(page, 32)
    expect(page.get_by_role("status")).to_contain_text("The gallery has changed in the meantime")
    assert len(set(after)) == 32
    assert after[:16] != before


def test_a_failed_more_keeps_the_results(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    first = results_of(page)
    stub.canned.append(Canned(429))
    _show_more(page)
    expect(page.get_by_role("alert")).to_contain_text("Too many searches")
    assert results_of(page) == first
    page.get_by_role("button", name="Try again").click()
    assert results_of(page, 32)[:16] == first
    assert page.evaluate("document.activeElement.closest('li') === document.querySelectorAll('#results li')[16]")


def test_a_missing_photo_is_reported_and_photos_load_lazily(page: Page, page_url: str, stub: Stub, seen: Seen) -> None:
    lost = {"key": "hats/lost.jpg", "url": f"{stub.image_base}/hats/lost.jpg", "score": 0.9}
    answer = {"results": [lost], "index": {"generation": "first", "count": 2}, "query": {}}
    stub.canned.append(Canned(200, json.dumps(answer)))
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    expect(page.locator("#results")).to_contain_text("This photo is not available.")
    assert page.get_attribute("#results .card", "href") == "/?key=hats%2Flost.jpg"
    page.goto(f"{page_url}/?key={stub.keys[0]}&shown=80")
    page.locator("#results .loaded").first.wait_for()
    assert page.eval_on_selector_all("#results img", "images => images.every((image) => image.loading === 'lazy')")
    assert page.locator("#results img:not(.loaded)").count() > 0


SHIRT: dict[str, object] = {
    "title": "Linen shirt",
    "brand": "Nordhem",
    "link": "https://shop.example/7",
    "price": {"value": 1234.5, "currency": "EUR"},
    "sale_price": {"value": 999.0, "currency": "EUR"},
    "availability": "out_of_stock",
}


def test_a_product_shows_what_a_shop_shows_and_leads_to_its_page(page: Page, page_url: str, stub: Stub) -> None:
    stub.products = {stub.keys[1]: SHIRT, stub.keys[2]: {"title": "Trap", "link": "javascript:alert(1)"}}
    page.goto(f"{page_url}?key={stub.keys[0]}")
    items = page.locator("#results li")
    card = items.first.locator(".card")
    expect(card).to_have_text("NordhemLinen shirt€999.00€1,234.50Sold out")
    expect(card).to_have_attribute("href", "https://shop.example/7")
    expect(card).to_have_attribute("target", "_blank")
    expect(items.nth(1).locator(".card")).to_have_attribute("href", re.compile("^/.key="))  # no script runs
    asked = stub.asked[0].parameters
    assert asked["fields"] == "title,link,brand,price,sale_price,availability"
    assert asked["group"] == "product"
    items.first.get_by_role("button", name="More like Linen shirt").click()
    expect(page.locator("#query-image")).to_have_attribute("src", f"{stub.image_base}/{stub.keys[1]}")
    expect(page.locator("#query-name")).to_have_text("Linen shirt")
    expect(page).to_have_title("Similar to Linen shirt")


def test_developers_see_scores_and_keys(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}&developer")
    expect(page.locator("#results .note").first).to_have_text(f"0.9900 {stub.keys[1]}")
    expect(page.locator("#query-name")).to_have_text(stub.keys[0])
    assert "&developer=" in f"&{page.url.partition('?')[2]}"


def test_more_results_come_by_scrolling(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    page.wait_for_timeout(300)
    assert len(stub.asked) == 1
    page.mouse.wheel(0, 3000)
    results_of(page, 32)
    expect(page).to_have_url(re.compile("shown=32"))


def test_by_keyboard_more_results_take_the_focus(page: Page, page_url: str, stub: Stub) -> None:
    page.goto(f"{page_url}?key={stub.keys[0]}")
    results_of(page)
    page.locator("#more").focus()
    results_of(page, 32)
    assert page.evaluate("document.activeElement.closest('li') === document.querySelectorAll('#results li')[16]")

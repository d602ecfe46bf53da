"""<similar-garments> on a product page; its script, service and photos have other origins."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from scripts.local.service import ROOT
from tests.page.serving import BOTH, Seen, keep_screenshot
from tests.page.stub import Canned, Stub, serve_folder
from tests.page.test_quality import _AXE, needs_axe, violations

pytestmark = pytest.mark.slow

_SHOP = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'self'; script-src {cdn}; connect-src *; img-src * data:">
<title>A shirt</title>
<script type="module" src="{cdn}/widget.js"></script>
</head>
<body>
<main><h1>A shirt</h1>{above}
<similar-garments endpoint="{service}" key="{key}" {more}></similar-garments></main>
</body>
</html>"""


class Shop:
    """A folder of product pages."""

    def __init__(self, folder: Path, url: str, cdn: str, stub: Stub) -> None:
        self._folder, self._url, self._cdn, self._stub = folder, url, cdn, stub
        self._pages = count(1)

    def page(self, more: str = "", key: str = "", above: str = "") -> str:
        """Write a page with the widget; return its address, a new one each time: browsers keep pages."""
        key = key or self._stub.keys[0]
        text = _SHOP.format(cdn=self._cdn, service=self._stub.url, key=key, more=more, above=above)
        name = f"shirt-{next(self._pages)}.html"
        (self._folder / name).write_text(text)
        return f"{self._url}/{name}"


@pytest.fixture
def shop(tmp_path: Path, stub: Stub, page_url: str) -> Iterator[Shop]:
    with serve_folder(ROOT / "site") as cdn, serve_folder(tmp_path) as url:
        yield Shop(tmp_path, url, cdn, stub)


def _widget(page: Page, state: str) -> Locator:
    widget = page.locator("similar-garments")
    expect(widget).to_have_attribute("state", state)
    return widget


@BOTH
def test_one_script_and_one_element_show_similar_items(
    page: Page, shop: Shop, stub: Stub, seen: Seen, request: pytest.FixtureRequest
) -> None:
    stub.go_on.clear()
    page.goto(shop.page())
    assert _widget(page, "loading").locator(".placeholder").count() == 8
    page.wait_for_timeout(600)
    stub.go_on.set()
    widget = _widget(page, "ready")
    assert widget.locator(".card").count() == 8
    widget.locator("img.loaded").nth(3).wait_for()
    expect(widget.get_by_role("heading")).to_have_text("Visually similar items")
    columns = widget.locator("li").evaluate_all("items => items.map((item) => item.getBoundingClientRect().left)")
    assert len(set(columns)) == (4 if request.node.callspec.params["page"] == "desktop" else 2)
    keep_screenshot(page, f"widget-{request.node.callspec.params['page']}")
    assert page.evaluate("layoutShift") < 0.01
    assert seen.console == []


def test_a_shop_may_filter_and_show_every_photo(page: Page, shop: Shop, stub: Stub) -> None:
    stub.sell(("Nordhem", "Alba"))
    page.goto(shop.page('where="brand:Nordhem; price:..60" group=""'))
    _widget(page, "ready")
    assert stub.asked[0].where == ("brand:Nordhem", "price:..60")
    assert "group" not in stub.asked[0].parameters


def test_a_card_that_leads_to_the_shop_has_a_button_for_more_like_it(page: Page, shop: Shop, stub: Stub) -> None:
    page.goto(shop.page('link="/p/{name}"'))
    widget = _widget(page, "ready")
    widget.get_by_role("button", name="More like").nth(2).press("Enter")
    expect(widget).to_have_attribute("key", stub.keys[3])
    expect(widget.get_by_role("heading")).to_be_focused()  # the button is gone
    _widget(page, "ready")
    assert stub.asked[1].parameters["key"] == stub.keys[3]


def test_it_waits_for_a_script_that_names_the_product(page: Page, shop: Shop, stub: Stub) -> None:
    page.goto(shop.page())
    widget = _widget(page, "ready")
    widget.evaluate("widget => widget.removeAttribute('key')")
    _widget(page, "loading")
    page.wait_for_timeout(300)
    assert len(stub.asked) == 1
    widget.evaluate("(widget, key) => widget.setAttribute('key', key)", stub.keys[4])
    _widget(page, "ready")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_demo_shows_it_on_a_shops_page(page: Page, page_url: str, stub: Stub, seen: Seen, scheme: Any) -> None:
    stub.sell(("Nordhem", "Alba"))
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{page_url}/product.html")
    widget = _widget(page, "ready")
    widget.locator("img.loaded").nth(3).wait_for()
    expect(page.locator("h1")).to_have_text("Garment 6")
    fonts = "element => getComputedStyle(element).fontFamily"
    assert widget.locator(".title").first.evaluate(fonts) == page.locator("body").evaluate(fonts)
    keep_screenshot(page, f"widget-shop-{scheme}")
    widget.locator(".card").nth(1).click()
    expect(page.locator("h1")).to_have_text("Garment 8")
    _widget(page, "ready")
    assert seen.console == []


def test_without_a_link_a_click_shows_similar_items(page: Page, shop: Shop, stub: Stub) -> None:
    page.goto(shop.page('count="4" folder="bags" heading="More bags"'))
    widget = _widget(page, "ready")
    widget.get_by_role("button").nth(1).press("Enter")
    expect(widget).to_have_attribute("key", stub.keys[2])
    _widget(page, "ready")
    assert [asked.parameters["k"] for asked in stub.asked] == ["4", "4"]
    assert stub.asked[1].parameters["key"] == stub.keys[2]
    assert stub.asked[1].parameters["prefix"] == "bags"
    expect(widget.get_by_role("heading")).to_have_text("More bags")


def test_link_leads_to_the_shops_own_pages(page: Page, shop: Shop, stub: Stub) -> None:
    stub.keys = ["a/1.jpg", "a/r & b/2.jpg"]
    page.goto(shop.page('link="/p/{name}?from={key}"'))
    link = _widget(page, "ready").get_by_role("link")
    expect(link).to_have_attribute("href", "/p/2?from=a%2Fr%20%26%20b%2F2.jpg")


def test_the_shop_can_handle_a_choice_itself(page: Page, shop: Shop, stub: Stub) -> None:
    address = shop.page('link="/p/{name}"')
    page.goto(address)
    _widget(page, "ready")
    page.evaluate("""() => document.addEventListener("choose", (event) => {
      event.preventDefault();
      document.title = event.detail.key;
    })""")
    page.locator("similar-garments a").first.click()
    expect(page).to_have_title(stub.keys[1])
    assert page.url == address


def test_a_failure_is_shown_and_can_be_retried(page: Page, shop: Shop, stub: Stub) -> None:
    stub.canned.append(Canned(503))
    page.goto(shop.page())
    widget = _widget(page, "error")
    expect(widget.get_by_role("status")).to_contain_text("busy or starting up")
    widget.get_by_role("button", name="Try again").click()
    _widget(page, "ready")


def test_a_product_that_is_not_indexed_has_no_similar_items(page: Page, shop: Shop) -> None:
    page.goto(shop.page(key="new/tomorrow.jpg"))
    expect(_widget(page, "empty").get_by_role("status")).to_have_text("There are no similar items.")


def test_it_searches_only_when_it_comes_near(page: Page, shop: Shop, stub: Stub) -> None:
    above = "<p>Much about this shirt.</p>" * 200
    page.goto(shop.page(above=above))
    page.wait_for_timeout(500)
    assert stub.asked == []
    page.locator("similar-garments").scroll_into_view_if_needed()
    _widget(page, "ready")
    assert len(stub.asked) == 1


LINK = "https://shop.example/p?a=1&b=2"
PRODUCT: dict[str, object] = {
    "id": "7",
    "title": "Linen <b>shirt</b>",
    "link": LINK,
    "price": {"value": 39.0, "currency": "EUR"},
    "sale_price": {"value": 19.5, "currency": "EUR"},
}


def test_products_show_their_title_price_and_link(page: Page, shop: Shop, stub: Stub) -> None:
    stub.products = {
        stub.keys[1]: PRODUCT,
        stub.keys[2]: {"id": "8", "link": "javascript:alert(1)", "price": {"value": 5.0, "currency": "?"}},
    }
    page.goto(shop.page('count="3"'))
    items = _widget(page, "ready").locator("li")
    expect(items.nth(0).locator(".title")).to_have_text("Linen <b>shirt</b>")
    expect(items.nth(0).locator(".card")).to_have_attribute("href", LINK)
    expect(items.nth(0).locator(".price")).to_have_text("€19.50€39.00")
    expect(items.nth(1).locator(".about")).to_have_text("5 ?")
    expect(items.nth(1).locator("a")).to_have_count(0)
    expect(items.nth(2).locator(".about")).to_have_count(0)
    assert stub.asked[0].parameters["group"] == "product"


def test_it_can_search_by_a_product(page: Page, shop: Shop, stub: Stub) -> None:
    page.goto(shop.page('product="1042"'))
    widget = _widget(page, "ready")
    asked = stub.asked[0].parameters
    assert (asked["product"], asked.get("key")) == ("1042", None)
    widget.get_by_role("button").nth(1).click()
    expect(widget).not_to_have_attribute("product", "1042")
    _widget(page, "ready")
    assert stub.asked[1].parameters["key"]
    page.goto(shop.page('product="tomorrow"'))
    _widget(page, "empty")


@needs_axe
def test_axe_finds_nothing_in_the_widget(page: Page, shop: Shop, stub: Stub) -> None:
    stub.products = {stub.keys[1]: PRODUCT}
    page.context.add_init_script(path=_AXE)
    page.goto(shop.page())
    _widget(page, "ready").locator("img.loaded").first.wait_for()
    assert violations(page) == []
    stub.canned.append(Canned(429))
    page.reload()
    _widget(page, "error")
    assert violations(page) == []

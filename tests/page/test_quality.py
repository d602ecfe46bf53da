"""Quality checks: accessibility rules, file sizes, target sizes, the head, motion."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.local.service import ROOT
from tests.page.serving import DEVICES, Seen, Site, draw_box, results_of
from tests.page.stub import Canned, Stub

pytestmark = pytest.mark.slow

_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
needs_axe = pytest.mark.skipif(not _AXE.is_file(), reason="needs axe-core: run `npm ci` first")

_TOO_SMALL = """() => [...document.querySelectorAll("a, button, .actions label, form input")].filter((target) => {
  const { width, height } = target.getBoundingClientRect();
  return width && Math.min(width, height) < 24;
}).map((target) => target.outerHTML)"""


def violations(page: Page) -> list[str]:
    """Return the violations that axe finds, best practices included."""
    page.wait_for_timeout(300)  # text that is still fading in has too little contrast
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((report) => report.violations)")
    return [f"{rule['id']}: {node['html']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@needs_axe
@pytest.mark.parametrize(("device", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing_in_any_state(
    browser: Browser, page_url: str, site: Site, stub: Stub, device: str, scheme: Any
) -> None:
    with browser.new_context(**DEVICES[device], color_scheme=scheme) as context:
        stub.sell(("Nordhem", "Alba"))
        context.add_init_script(path=_AXE)  # before the page's policy applies, which allows no other script
        page = context.new_page()
        page.goto(page_url)
        assert violations(page) == []
        told = {"value": "dotted", "probability": 0.9, "sure": True}
        stub.seen = {"kind": [told], "words": [told]}
        stub.go_on.clear()
        page.set_input_files("#photo", site.photos[0])
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert violations(page) == []
        stub.go_on.set()
        results_of(page)
        draw_box(page, (0.2, 0.2), (0.8, 0.8))
        results_of(page)
        assert violations(page) == []
        assert page.evaluate(_TOO_SMALL) == []
        page.locator("#results a").first.click()
        results_of(page)
        expect(page.locator(".crumb")).to_have_count(3)
        assert violations(page) == []
        for name in ("Price", "Brand"):
            page.locator("#filters").get_by_role("button", name=name).click()
            assert violations(page) == []
        page.locator("#offered button").first.click()
        expect(page.locator("#chosen button")).to_have_count(1)
        results_of(page)
        assert violations(page) == []
        assert page.evaluate(_TOO_SMALL) == []
        page.get_by_label("In words").fill("in blue")
        page.get_by_label("In words").press("Enter")
        results_of(page)
        assert violations(page) == []
        page.get_by_role("button", name="Look closer").first.press("Enter")
        assert violations(page) == []
        page.keyboard.press("Escape")
        stub.canned.append(Canned(503))
        page.click("#random")
        expect(page.get_by_role("alert")).to_be_visible()
        assert violations(page) == []
        stub.keys = []
        stub.canned.append(Canned(200, '{"results": [], "index": {"generation": "first", "count": 0}}'))
        page.click("#random")
        expect(page.locator("#empty")).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize(
    "arrive",
    [lambda page, site: page.set_input_files("#photo", site.photos[0]), lambda page, site: page.click("#random")],
)
def test_nothing_shifts_when_photo_and_results_arrive(
    page: Page, page_url: str, site: Site, stub: Stub, arrive: Callable[[Page, Site], None]
) -> None:
    stub.go_on.clear()
    page.goto(page_url)
    arrive(page, site)
    page.wait_for_timeout(700)  # shifts within half a second of a click do not count
    stub.go_on.set()
    results_of(page)
    page.wait_for_timeout(300)
    assert page.evaluate("layoutShift") < 0.01


def test_a_shared_address_loads_without_a_shift(page: Page, page_url: str, stub: Stub) -> None:
    stub.go_on.clear()
    page.goto(f"{page_url}/?key={stub.keys[0]}")
    page.wait_for_timeout(700)
    stub.go_on.set()
    results_of(page)
    page.wait_for_timeout(300)
    assert page.evaluate("layoutShift") < 0.01


def test_page_and_widget_are_small() -> None:
    files = list((ROOT / "site").iterdir())
    assert {file.suffix for file in files} <= {".html", ".css", ".js", ".svg"}
    content = {file.name: file.read_bytes() for file in files if file.suffix != ".svg"}
    assert len(content.pop("widget.js")) < 12_000  # the page does not load it
    assert sum(map(len, content.values())) <= 72 * 1024
    assert sum(len(gzip.compress(each)) for each in content.values()) <= 28.5 * 1024


def test_the_page_loads_its_own_files_and_a_wall_of_photos_alone(
    page: Page, page_url: str, stub: Stub, seen: Seen
) -> None:
    page.goto(page_url)
    page.wait_for_load_state("networkidle")
    assert stub.asked == []
    assert stub.walls > 0
    assert all(url.startswith((page_url, f"{stub.url}/v1/random", f"{stub.url}/v1/index")) for url in seen.requests)
    assert seen.console == []


def test_the_head_describes_the_page(page: Page, page_url: str) -> None:
    page.goto(page_url)
    assert page.get_attribute("html", "lang") == "en"
    assert page.title() == "Similar garments"
    assert 50 <= len(page.get_attribute("meta[name=description]", "content") or "") <= 160
    assert page.get_attribute("meta[name=viewport]", "content") == "width=device-width, initial-scale=1"
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content") or ""
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert page.locator("h1").count() == 1


def test_nothing_moves_with_reduced_motion(page: Page, page_url: str, stub: Stub) -> None:
    page.emulate_media(reduced_motion="reduce")
    stub.go_on.clear()
    page.goto(page_url)
    page.click("#random")
    page.locator(".placeholder").first.wait_for()
    assert page.evaluate("document.getAnimations().length") == 0
    stub.go_on.set()
    results_of(page)
    page.hover("#results a")
    assert page.evaluate("document.getAnimations().length") == 0

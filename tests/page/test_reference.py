"""The reference that the service shows under /docs, in a browser."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.serving import DEVICES, Seen, Site, keep_screenshot
from tests.page.test_quality import _AXE, needs_axe, violations

pytestmark = pytest.mark.slow


@needs_axe
@pytest.mark.parametrize(("device", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    browser: Browser, site: Site, device: str, scheme: Any
) -> None:
    with browser.new_context(**DEVICES[device], color_scheme=scheme) as context:
        context.add_init_script(path=_AXE)
        page = context.new_page()
        page.goto(f"{site.service_url}/docs")
        keep_screenshot(page, f"reference-{device}-{scheme}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
        assert dark == (scheme == "dark")  # the policy allows its style


def test_an_error_leads_to_its_explanation(page: Page, site: Site, seen: Seen) -> None:
    refused = page.request.get(f"{site.service_url}/v1/random?k=0").json()
    page.goto(site.service_url + refused["help"])
    expect(page.get_by_role("heading", name="parameter-invalid")).to_be_in_viewport()
    page.get_by_role("link", name="here are all").click()
    expect(page.get_by_role("heading", name="Parameters")).to_be_in_viewport()
    assert seen.console == []
    assert set(seen.requests) <= {f"{site.service_url}/docs", f"{site.service_url}/favicon.ico"}

"""The page in the oldest browsers that are meant, which package.json lists under `browserslist`."""

import subprocess

import pytest
from playwright.sync_api import Page, expect

from scripts.local.service import ROOT
from tests.page.serving import Seen, Site, results_of

pytestmark = pytest.mark.slow

_MODULES = ROOT / "node_modules"
needs_lint = pytest.mark.skipif(not (_MODULES / "eslint-plugin-compat").is_dir(), reason="needs eslint: run `npm ci`")

# Takes from Chromium what Safari 15.4 and Firefox 100 do not have.
_AGE = """
delete AbortSignal.any;
delete AbortSignal.timeout;
delete Document.prototype.adoptedStyleSheets;
delete ShadowRoot.prototype.adoptedStyleSheets;
delete window.CSSStyleSheet;
"""


@needs_lint
@pytest.mark.parametrize("command", [["npx", "eslint", "site"], ["node", "tests/page/too_young.mjs"]])
def test_the_sources_have_nothing_younger(command: list[str]) -> None:
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.stderr, checked.returncode) == ("", "", 0)


def test_an_old_browser_finds_the_same(page: Page, page_url: str, site: Site, seen: Seen) -> None:
    page.add_init_script(_AGE)
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    assert page.locator("#results .photo").first.evaluate("photo => getComputedStyle(photo).position") == "relative"
    assert seen.console == []


def test_a_mistake_of_the_page_is_not_called_trouble_of_the_network(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    page.evaluate("FormData = undefined")
    page.set_input_files("#photo", site.photos[0])
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on this page")

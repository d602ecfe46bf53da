"""A page that makes the original demo's jQuery calls, from another origin than the service's."""

import pytest
from playwright.sync_api import Page

from scripts.local.service import ROOT
from tests.page.serving import Seen, Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "node_modules" / "jquery").is_dir(), reason="needs jQuery: run `npm ci` first"),
]

_ALL_LOADED = """count => {
  const images = [...document.querySelectorAll("#images img")];
  return images.length === count && images.every(image => image.complete && image.naturalWidth > 0);
}"""


def test_upload_answers_sixteen_image_addresses(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.legacy_url)
    page.set_input_files("#file", site.photos[10])
    page.wait_for_function(_ALL_LOADED, arg=16)
    sources = page.eval_on_selector_all("#images img", "images => images.map(image => image.src)")
    assert sources[0].endswith(site.photos[10].relative_to(site.gallery).as_posix())
    assert len(set(sources)) == 16
    assert seen.console == []


def test_random_answers_a_garment_and_sixteen_like_it(page: Page, site: Site, seen: Seen) -> None:
    page.goto(site.legacy_url)
    page.click("#random")
    page.wait_for_function(_ALL_LOADED, arg=17)
    sources = page.eval_on_selector_all("#images img", "images => images.map(image => image.src)")
    assert len(set(sources)) == 17
    assert seen.console == []

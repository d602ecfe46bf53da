"""The README's picture shows the current page of the demo."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from scripts.local.service import HOST, ROOT
from tests.page.serving import draw_box, free_ports, results_of

pytestmark = pytest.mark.slow

_PICTURE = ROOT / "docs" / "screenshot.png"
_SIZE: ViewportSize = {"width": 1200, "height": 1030}  # two rows of results
_KILOBYTES = 150


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """Run the demo with its drawn gallery; yield the page's address."""
    service, page = map(str, free_ports(2))
    script = [sys.executable, str(ROOT / "scripts" / "demo.py"), "--work", str(tmp_path / "demo")]
    with subprocess.Popen([*script, "--port", service, "--page-port", page], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert any("Open " in line for line in demo.stdout)
        yield f"http://{HOST}:{page}"
        demo.terminate()
        demo.communicate()


@pytest.mark.slow
def test_the_readmes_picture_shows_the_page(page: Page, demo: str) -> None:
    page.set_viewport_size(_SIZE)
    page.goto(demo)
    page.get_by_role("button", name="A sample photo").nth(2).click()  # a dress and a bag on linen
    results_of(page)
    draw_box(page, (0.06, 0.05), (0.66, 0.7))
    expect(page.locator(".crumb")).to_have_count(2)
    expect(page.get_by_role("status")).to_have_text("The 16 most similar of 300 garments.")
    assert "/dresses/pink-dotted-" in results_of(page)[0]
    page.wait_for_timeout(500)  # photos fade in
    made = ROOT / "tests" / "artifacts" / "readme.png"
    made.parent.mkdir(exist_ok=True)
    page.screenshot(path=made)
    with Image.open(made) as full:
        full.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(made, optimize=True)

    assert _PICTURE.stat().st_size <= _KILOBYTES * 1024
    assert _difference(_PICTURE, made) < 6, f"if the page is right, cp {made.relative_to(ROOT)} docs/screenshot.png"


def _difference(one: Path, other: Path) -> float:
    """Return the mean difference (0-255) of shrunk pictures: fonts differ between machines, the layout does not."""
    shrunk = []
    for file in (one, other):
        with Image.open(file) as picture:
            shrunk.append(np.asarray(picture.convert("RGB").resize((60, 54), Image.Resampling.BOX), dtype=float))
    return float(np.abs(shrunk[0] - shrunk[1]).mean())

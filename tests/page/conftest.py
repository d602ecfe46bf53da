"""The real services on free ports with a drawn gallery, the page, and Chromium."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from scripts.drawn_gallery import draw_gallery
from scripts.local.service import HOST, ROOT, serve_functions
from tests.page.serving import DEVICES, Addresses, Seen, Site, free_ports, serve_page
from tests.page.stub import Stub, serve_stub

_PATIENCE_MS = 60_000  # for busy machines
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# As the web vital "cumulative layout shift", which ignores shifts right after a visitor's action.
_COUNT_SHIFTS = """
window.layoutShift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    work = tmp_path_factory.mktemp("site")
    photos = draw_gallery(work / "gallery", count=84, seed=3)
    with ExitStack() as running:
        yield Site(work / "gallery", photos, cache(lambda: running.enter_context(_serve_site(work))))


@contextmanager
def _serve_site(work: Path) -> Iterator[Addresses]:
    script = [sys.executable, str(ROOT / "scripts" / "rebuild_embeddings.py")]
    subprocess.run(
        [*script, "--gallery", str(work / "gallery"), "--index", str(work / "index")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    service, page, legacy = (f"http://{HOST}:{port}" for port in free_ports(3))
    settings = {
        "INDEX_URI": str(work / "index"),
        "GALLERY_URI": str(work / "gallery"),
        "IMAGE_BASE_URL": f"{page}/gallery",
        "CORS_ORIGINS": f"{page},{legacy}",
    }
    with (
        serve_functions(_port(service), settings, work / "service.log"),
        serve_page(ROOT / "site", work / "gallery", service, _port(page)),
        serve_page(_legacy_site(work), work / "gallery", service, _port(legacy)),
    ):
        yield Addresses(service, page, legacy)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), playwright.chromium.executable_path)
        if not Path(executable).exists():
            pytest.skip(f"needs a browser: {', '.join(_CHROMIUM_NAMES)}, or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=executable, args=_CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def seen() -> Seen:
    return Seen([], [])


@pytest.fixture(params=["desktop"])
def page(browser: Browser, seen: Seen, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that may call this machine only; `PHONE` and `BOTH` in serving.py choose its size."""
    context = browser.new_context(**DEVICES[request.param])
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(_COUNT_SHIFTS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.console.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    yield page
    context.close()
    foreign = [url for url in seen.requests if not url.startswith((f"http://{HOST}:", "blob:", "data:"))]
    assert foreign == []


@pytest.fixture
def stub(site: Site) -> Iterator[Stub]:
    """A service with scripted answers; `page_url` is the page that calls it."""
    keys = sorted(photo.relative_to(site.gallery).as_posix() for photo in site.photos)
    with serve_stub(Stub(keys)) as stub:
        yield stub


@pytest.fixture
def page_url(site: Site, stub: Stub) -> Iterator[str]:
    with serve_page(ROOT / "site", site.gallery, stub.url, 0) as url:
        stub.image_base = f"{url}/gallery"
        yield url


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _legacy_site(work: Path) -> Path:
    folder = work / "legacy"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "legacy" / "index.html", folder)
    jquery = ROOT / "node_modules" / "jquery" / "dist" / "jquery.min.js"
    if jquery.exists():
        shutil.copy(jquery, folder)
    return folder

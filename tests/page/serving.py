"""Serve the page on free ports, and observe it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page

from scripts.local.page import open_page_server
from scripts.local.service import HOST, ROOT

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
PHONE = pytest.mark.parametrize("page", ["phone"], indirect=True)
BOTH = pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)


@dataclass(frozen=True)
class Addresses:
    """Where a running site answers."""

    service: str
    page: str
    legacy: str


@dataclass(frozen=True)
class Site:
    """The files of a site, and its addresses: the first use of one starts it, for most tests need files alone."""

    gallery: Path
    photos: list[Path]
    start: Callable[[], Addresses]

    @property
    def service_url(self) -> str:
        return self.start().service

    @property
    def page_url(self) -> str:
        return self.start().page

    @property
    def legacy_url(self) -> str:
        return self.start().legacy


@dataclass(frozen=True)
class Seen:
    """The requests and console messages of a page."""

    console: list[str]
    requests: list[str]


@contextmanager
def serve_page(site: Path, gallery: Path, service_url: str, port: int) -> Iterator[str]:
    server = open_page_server(site, gallery, service_url, port)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_ports(count: int) -> list[int]:
    """Find free ports; hold all of them before releasing any, so that they differ."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def results_of(page: Page, count: int = 16) -> list[str]:
    """Return the addresses of the photos once there are `count` cards and the first photos are visible."""
    page.locator("#results .card").nth(count - 1).wait_for()
    page.locator("#results img.loaded").first.wait_for()
    assert page.locator("#results li").count() == count
    return page.eval_on_selector_all("#results img", "images => images.map(image => image.src)")


def draw_box(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse from one place on the visitor's photo to another, in fractions of the photo."""
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    (x1, y1), (x2, y2) = (
        (stage["x"] + across * stage["width"], stage["y"] + down * stage["height"]) for across, down in (start, end)
    )
    page.mouse.move(x1, y1)
    page.mouse.down()
    page.mouse.move(x2, y2, steps=4)
    page.mouse.up()


def keep_screenshot(page: Page, name: str) -> None:
    """Save a screenshot for people in tests/artifacts, which continuous integration keeps."""
    folder = ROOT / "tests" / "artifacts"
    folder.mkdir(exist_ok=True)
    page.wait_for_timeout(300)  # photos fade in
    # For a phone take the visible part: Chromium paints a full page as if there were no touch screen.
    is_phone = page.evaluate("matchMedia('(pointer: coarse)').matches")
    page.screenshot(path=folder / f"{name}.png", full_page=not is_phone)

"""The demo, started and stopped as a person does."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from urllib.request import Request, urlopen

import pytest

from scripts.demo import index_folder
from scripts.drawn_gallery import draw_gallery
from scripts.local.service import HOST, ROOT

pytestmark = pytest.mark.slow  # starts the demo

_COMMAND = [sys.executable, str(ROOT / "scripts" / "demo.py")]


class Demo:
    """A running demo, started with SIGINT ignored like a background command of a shell script."""

    def __init__(self, work: Path, *options: str, **variables: str) -> None:
        self.port, self.page_port = _free_ports()
        ports = ["--port", str(self.port), "--page-port", str(self.page_port)]
        self.process = subprocess.Popen(
            ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *_COMMAND, "--work", str(work), *ports, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **variables},
        )
        self.said = ""
        self._lines: Queue[str] = Queue()
        self._listener = Thread(target=self._listen)
        self._listener.start()

    def wait_for(self, words: str) -> None:
        while words not in self.said:
            try:
                self.said += self._lines.get(timeout=500)
            except Empty:
                pytest.fail(f"the demo has not printed {words!r}, only:\n{self.said}")
            assert self.said[-1:] != "\0", f"the demo ended before it printed {words!r}:\n{self.said}"

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        status = self.process.wait(timeout=100)
        self._listener.join()
        while not self._lines.empty():
            self.said += self._lines.get().strip("\0")
        return status

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("\0")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    demos: list[Demo] = []

    def start(*options: str, **variables: str) -> Demo:
        demos.append(Demo(tmp_path / "work", *options, **variables))
        demos[-1].wait_for("Open http")
        return demos[-1]

    yield start
    for demo in demos:
        if demo.process.poll() is None:
            demo.stop(signal.SIGTERM)


def _get(url: str, **headers: str) -> tuple[bytes, Message]:
    with urlopen(Request(url, headers=headers), timeout=30) as response:
        return response.read(), response.headers


def _free_ports() -> tuple[int, int]:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.mark.slow
def test_drawn_garments_are_searched_from_another_origin_until_ctrl_c(start: Callable[..., Demo]) -> None:
    demo = start()
    service, page = f"http://{HOST}:{demo.port}", f"http://{HOST}:{demo.page_port}"
    assert f"Open {page}\n" in demo.said
    assert demo.said.count("300 added") == 1
    for noise in ("INFO:", "generation", "embedding"):
        assert noise not in demo.said
    assert service in _get(f"{page}/config.js")[0].decode()
    for origin in (page, f"http://localhost:{demo.page_port}"):
        body, headers = _get(f"{service}/v1/random", Origin=origin)
        assert headers["Access-Control-Allow-Origin"] == origin
    answer = json.loads(body)
    assert len(answer["results"]) == 16
    assert "feed: 300 images show a product, 0 rows failed" in demo.said
    assert all(each["product"]["price"]["currency"] == "EUR" for each in answer["results"])
    photo, headers = _get(answer["results"][0]["url"])
    assert headers["Content-Type"] == "image/jpeg"
    assert photo.startswith(b"\xff\xd8")

    assert demo.stop(signal.SIGINT) == 0
    assert demo.said.endswith("Stopped.\n")
    for port in (demo.port, demo.page_port):
        socket.create_server((HOST, port)).close()  # both ports are free again


@pytest.mark.slow
def test_a_second_start_embeds_only_what_is_new(start: Callable[..., Demo], tmp_path: Path) -> None:
    mine = tmp_path / "my photos"
    photos = draw_gallery(mine, count=20)
    (mine / "broken.jpg").write_text("no photo")
    first = start("--gallery", str(mine))
    assert "20 added" in first.said
    assert first.said.count("broken.jpg") == 1
    assert first.stop(signal.SIGTERM) == 0
    shutil.copy(photos[0], mine / "one more é+%.jpg")
    second = start("--gallery", str(mine), "--host", "localhost", CORS_ORIGINS="https://shop.example")
    assert f"Open http://localhost:{second.page_port}\n" in second.said
    for origin in ("https://shop.example", f"http://localhost:{second.page_port}"):
        _, headers = _get(f"http://localhost:{second.port}/v1/index", Origin=origin)
        assert headers["Access-Control-Allow-Origin"] == origin
    assert second.said.count("broken.jpg") == 1
    assert re.search(r"\b1 added, 0 changed, 0 removed", second.said)
    body, _ = _get(f"http://localhost:{second.port}/v1/index")
    assert json.loads(body)["count"] == 21
    body, _ = _get(f"http://localhost:{second.port}/v1/similar?key=one+more+%C3%A9%2B%25.jpg")
    _get(json.loads(body)["query"]["url"])
    assert second.stop(signal.SIGINT) == 0


def test_galleries_of_the_same_name_do_not_mix(tmp_path: Path) -> None:
    folders = {index_folder(Path(gallery), tmp_path) for gallery in ("/home/me/photos", "/home/you/photos")}
    assert len(folders) == 2
    assert index_folder(Path("/home/me/photos"), tmp_path) in folders


def _refused(work: Path, *options: str) -> str:
    done = subprocess.run([*_COMMAND, "--work", str(work), *options], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(("option", "name"), [("--port", "PORT"), ("--page-port", "PAGE_PORT")])
def test_a_port_in_use_is_reported_before_anything_is_made(tmp_path: Path, option: str, name: str) -> None:
    free = _free_ports()
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        said = _refused(tmp_path / "work", "--port", str(free[0]), "--page-port", str(free[1]), option, str(port))
    assert re.fullmatch(rf"demo: port {port} is in use; choose another, for example {name}=\d+", said)
    assert not (tmp_path / "work").exists()


def test_an_impossible_gallery_is_reported_in_one_line(tmp_path: Path) -> None:
    port, page_port = _free_ports()
    ports = ["--port", str(port), "--page-port", str(page_port)]
    missing = _refused(tmp_path / "work", *ports, "--gallery", str(tmp_path / "nowhere"))
    assert missing == f"demo: there is no folder {tmp_path / 'nowhere'}"
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear")
    empty = _refused(tmp_path / "work", *ports, "--gallery", str(tmp_path / "letters"))
    assert empty.startswith(f"demo: there is no photo in {tmp_path / 'letters'}")
    assert "\n" not in missing + empty


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_an_impossible_port_is_refused(tmp_path: Path, port: str) -> None:
    assert "is not a port" in _refused(tmp_path / "work", f"--port={port}")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_host_that_no_link_can_use_is_refused(tmp_path: Path, host: str) -> None:
    assert "such as 192.168.1.20" in _refused(tmp_path / "work", f"--host={host}")


def test_an_address_of_another_machine_is_reported_in_one_line(tmp_path: Path) -> None:
    said = _refused(tmp_path / "work", "--host", "192.0.2.1")  # reserved for documentation
    assert said.startswith("demo: cannot listen on 192.0.2.1, port 8080: ")
    assert not (tmp_path / "work").exists()


def test_a_wrong_origin_is_refused_before_anything_is_indexed(tmp_path: Path) -> None:
    port, page_port = _free_ports()
    photos = tmp_path / "photos"
    draw_gallery(photos, count=1)
    ports = ["--port", str(port), "--page-port", str(page_port)]
    said = _refused(tmp_path / "work", *ports, "--gallery", str(photos), "--cors", "shop.example")
    assert said.startswith("demo: cannot start: CORS_ORIGINS is ")
    assert not (tmp_path / "work").exists()


def test_one_port_cannot_serve_both(tmp_path: Path) -> None:
    assert "need different ports" in _refused(tmp_path / "work", "--port=9000", "--page-port=9000")

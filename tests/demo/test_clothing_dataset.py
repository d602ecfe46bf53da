"""Downloading the public dataset, from a local stand-in for GitHub."""

import io
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scripts.local import clothing_dataset
from scripts.local.clothing_dataset import FetchError, Source, fetch_clothing_dataset

PHOTOS = {f"{number:08}": b"photo " * 2000 + str(number).encode() for number in range(12)}
LISTING = (
    "image,sender_id,label,kids\n"
    + "".join(f"{name},1,{'T-Shirt' if int(name) % 2 else 'Hat'},False\n" for name in PHOTOS)
    + "unsure,1,Not sure,False\n../../evil,1,Hat,False\nevil,1,../../Hat,False\ngone,1,Hat,False\n"
)


class StandIn:
    """The answers of the stand-in, and the requests it got."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.archive_bytes: int | None = None
        self.busy: list[str] = []
        self.broken: set[str] = set()
        self.listing = LISTING

    def answer(self, path: str) -> tuple[int, bytes, int | None]:
        """Return status and body, and after how many bytes to break off."""
        self.asked.append(path)
        if path == "/images.csv":
            return 200, self.listing.encode(), None
        if path == "/archive":
            return 200, _archive(), self.archive_bytes
        name = path.removeprefix("/images/").removesuffix(".jpg")
        if name in self.busy:
            self.busy.remove(name)
            return 429, b"", None
        if name in self.broken:
            return 200, PHOTOS[name], 100
        return (200, PHOTOS[name], None) if name in PHOTOS else (404, b"", None)


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as archive:
        for name, content in {"README.md": b"read me", **{f"images/{n}.jpg": c for n, c in PHOTOS.items()}}.items():
            member = tarfile.TarInfo(f"clothing-dataset-master/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[StandIn, Source]]:
    answers = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body, cut = answers.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut])

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    monkeypatch.setattr(clothing_dataset, "PATIENCE_SECONDS", (0, 0, 0))
    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    yield answers, Source(files=url, archive=f"{url}/archive")
    server.shutdown()
    thread.join()
    server.server_close()


def _photos(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}


EXPECTED = {f"{'t-shirt' if int(name) % 2 else 'hat'}/{name}.jpg": content for name, content in PHOTOS.items()}


def test_many_photos_come_as_one_archive(
    stand_in: tuple[StandIn, Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clothing_dataset, "FEW", 5)
    answers, source = stand_in
    assert fetch_clothing_dataset(tmp_path, source) == 12
    assert _photos(tmp_path) == EXPECTED
    assert answers.asked == ["/images.csv", "/archive"]


def test_few_photos_come_one_by_one_and_a_second_start_fetches_missing_ones_only(
    stand_in: tuple[StandIn, Source], tmp_path: Path
) -> None:
    answers, source = stand_in
    assert fetch_clothing_dataset(tmp_path, source) == 12
    assert _photos(tmp_path) == EXPECTED
    (tmp_path / "hat" / "00000004.jpg").unlink()
    answers.asked.clear()
    assert fetch_clothing_dataset(tmp_path, source) == 1
    assert sorted(answers.asked) == ["/images.csv", "/images/00000004.jpg", "/images/gone.jpg"]
    assert _photos(tmp_path) == EXPECTED


def test_a_broken_archive_leaves_whole_photos_and_the_next_start_continues(
    stand_in: tuple[StandIn, Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clothing_dataset, "FEW", 9)
    answers, source = stand_in
    answers.archive_bytes = 80_000
    with pytest.raises(FetchError, match=r"broke off after \d of 13 photos .*run it again"):
        fetch_clothing_dataset(tmp_path, source)
    arrived = _photos(tmp_path)
    assert 4 <= len(arrived) < 12
    assert arrived.items() <= EXPECTED.items()
    answers.asked.clear()
    assert fetch_clothing_dataset(tmp_path, source) == 12 - len(arrived)
    assert "/archive" not in answers.asked
    assert _photos(tmp_path) == EXPECTED


def test_a_photo_that_breaks_off_is_not_kept(stand_in: tuple[StandIn, Source], tmp_path: Path) -> None:
    answers, source = stand_in
    answers.broken = {"00000007"}
    with pytest.raises(FetchError, match="broke off"):
        fetch_clothing_dataset(tmp_path, source)
    assert not (tmp_path / "t-shirt" / "00000007.jpg").exists()


def test_a_server_that_asks_for_fewer_requests_gets_fewer(stand_in: tuple[StandIn, Source], tmp_path: Path) -> None:
    answers, source = stand_in
    answers.busy = ["00000003", "00000003"]
    assert fetch_clothing_dataset(tmp_path, source) == 12
    answers.busy = ["00000005"] * 3
    (tmp_path / "t-shirt" / "00000005.jpg").unlink()
    with pytest.raises(FetchError, match="try again in an hour"):
        fetch_clothing_dataset(tmp_path, source)


def test_a_missing_network_gives_a_plain_message(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:1"
    with pytest.raises(FetchError, match=r"cannot be reached .*check the network.*make demo"):
        fetch_clothing_dataset(tmp_path, Source(files=nowhere, archive=nowhere))


def test_photos_from_before_are_enough_without_a_network(
    stand_in: tuple[StandIn, Source], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, source = stand_in
    fetch_clothing_dataset(tmp_path, source)
    nowhere = "http://127.0.0.1:1"
    assert fetch_clothing_dataset(tmp_path, Source(files=nowhere, archive=nowhere)) == 0
    assert "cannot be reached" in capsys.readouterr().out


def test_a_login_page_in_between_is_not_taken_for_the_list(stand_in: tuple[StandIn, Source], tmp_path: Path) -> None:
    answers, source = stand_in
    answers.listing = "<html>Welcome to our hotel</html>"
    with pytest.raises(FetchError, match="something else answers"):
        fetch_clothing_dataset(tmp_path, source)

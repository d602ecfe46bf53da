"""An object whose connection breaks off must not pass for a shorter one."""

import socket
import threading
from collections.abc import Iterator

import pytest

from embeddings.errors import StorageError
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer

_HEAD = (
    'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: "x"\r\nContent-Type: image/jpeg\r\n'
    "Last-Modified: Mon, 02 Nov 2026 12:00:00 GMT\r\nx-goog-generation: 1\r\nConnection: close\r\n\r\n"
)


@pytest.fixture
def short_server(aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Answers every request with 400 of 1,000 bytes; yields the requests."""
    from embeddings.storage.writers import gcs as gcs_module  # takes a second

    server = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(_HEAD.encode() + b"x" * 400)

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for variable in ("AWS_ENDPOINT_URL", "GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"):
        monkeypatch.setenv(variable, url)
    monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(gcs_module, "_RETRY", gcs_module._RETRY.with_timeout(0.2).with_delay(0.05, 0.05))
    yield requests
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.mark.parametrize("scheme", ["s3", "gs"])
@pytest.mark.parametrize("size", [None, 1000])
def test_a_reader_notices(scheme: str, size: int | None, short_server: list[bytes]) -> None:
    with pytest.raises(StorageError):
        open_reader(f"{scheme}://bucket").get("photo.jpg", size=size)
    assert short_server


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_a_writer_notices(scheme: str, short_server: list[bytes]) -> None:
    with pytest.raises(StorageError):
        open_writer(f"{scheme}://bucket").get("current.json")
    assert short_server

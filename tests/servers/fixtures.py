"""Fixtures: storage servers on loopback, with the environment pointing at them."""

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from tests.servers.gcs import GcsServer
from tests.servers.s3 import S3Server, running_moto
from tests.servers.s3vectors import S3VectorsServer


@pytest.fixture(scope="session")
def quick_boto() -> Iterator[None]:
    """Parses boto3's service files once, not for every client: that is two thirds of a client's 150 ms."""
    parsed: dict[str, Any] = {}
    load_file = JSONFileLoader.load_file

    def cached(loader: JSONFileLoader, path: str) -> Any:
        if path not in parsed:
            parsed[path] = load_file(loader, path)
        return parsed[path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", cached)
        yield


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with running_moto() as url:
        yield url


@pytest.fixture
def clean_environment(quick_boto: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own cloud accounts."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "STORAGE_EMULATOR_HOST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws_keys(clean_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a stand-in more time to answer than a function has for storage: this machine may be busy."""
    monkeypatch.setattr("embeddings.storage.reader._CONNECT_SECONDS", 20)
    monkeypatch.setattr("embeddings.storage.reader._STALL_SECONDS", 20)


@pytest.fixture(scope="session")
def kept_s3_clients() -> Iterator[None]:
    """Opens one S3 client for each environment, not for each writer: it takes 40 ms."""
    from embeddings.storage.writers import s3

    open_client, clients = s3._open_client, {}

    def kept() -> Any:
        environment = tuple(sorted(each for each in os.environ.items() if each[0].startswith("AWS_")))
        if environment not in clients:
            clients[environment] = open_client()
        return clients[environment]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3, "_open_client", kept)
        yield


@pytest.fixture
def s3_server(
    moto_url: str, aws_keys: None, kept_s3_clients: None, patience: None, monkeypatch: pytest.MonkeyPatch
) -> S3Server:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    return S3Server(moto_url)


@pytest.fixture
def gcs_server(clean_environment: None, patience: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[GcsServer]:
    with GcsServer() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
        monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
        yield server


@pytest.fixture
def vectors_server(aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3VectorsServer]:
    """With one vector bucket, `shop`; retries do not pause for long."""
    from botocore.config import Config

    from embeddings.s3_vectors.client import SEARCHING

    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr("embeddings.s3_vectors.writer._LONGEST_PAUSE", 0.01)
    patient = SEARCHING.merge(Config(connect_timeout=20, read_timeout=20))  # see `patience`
    monkeypatch.setattr("embeddings.s3_vectors.queries.SEARCHING", patient)
    with S3VectorsServer() as server:
        server.buckets["shop"] = {}
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3VECTORS", server.url)
        yield server


class SilentServer:
    """Accepts connections and never answers; `connections` counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._accepted: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        return len(self._accepted)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._socket.close()
        for accepted in self._accepted:
            accepted.close()

    def _accept(self) -> None:
        while True:
            try:
                self._accepted.append(self._socket.accept()[0])
            except OSError:
                return


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.close()


class ScriptedServer:
    """Answers every request with the next of `answers` (status, body), the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = [(200, b"")]
        self.requests: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_ScriptedHandler,), {"script": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _ScriptedHandler(BaseHTTPRequestHandler):
    script: ScriptedServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.script.requests.append(f"{self.command} {self.path}")
        status, body = self.script.answers.pop(0) if len(self.script.answers) > 1 else self.script.answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"scripted"')
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 12:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def scripted_server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def refused_url() -> str:
    """Of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"

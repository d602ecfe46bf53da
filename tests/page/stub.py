"""A search service with scripted answers (slow, busy, changed), and a web server for any folder."""

import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import parse_qs, urlsplit

from scripts.local.service import HOST

_SEEN_WORDS = {"name": "seen.words", "type": "text", "values": ["dotted", "striped"]}


@dataclass(frozen=True)
class Asked:
    """A request that the stub received."""

    path: str
    parameters: dict[str, str]
    content_type: str
    body: bytes
    where: tuple[str, ...] = ()

    @property
    def photo(self) -> bytes:
        """The file in the form."""
        form = message_from_bytes(f"Content-Type: {self.content_type}\n\n".encode() + self.body)
        part = form.get_payload(0)
        assert not isinstance(part, str)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        return content


@dataclass(frozen=True)
class Canned:
    """An answer that replaces the right one."""

    status: int
    body: str = ""
    content_type: str = "application/json"


@dataclass
class Stub:
    """The state of the stub: its gallery, the requests it got, and the scripted answers to come."""

    keys: list[str]
    url: str = ""
    image_base: str = ""
    """The address of the photos."""
    generation: str = "first"
    asked: list[Asked] = field(default_factory=list)
    canned: deque[Canned] = field(default_factory=deque)
    products: dict[str, dict[str, object]] = field(default_factory=dict)
    """The products of results, by key."""
    columns: list[dict[str, object]] = field(default_factory=lambda: [dict(_SEEN_WORDS)])
    """The columns of products that /v1/index lists, and one of what the model sees: it can be asked in words."""
    seen: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    """What is seen in every upload."""
    unknown: tuple[str, ...] = ()
    """Words that mean nothing."""
    folders: list[str] | None = None
    """The folders that /v1/index lists; None for a service without that list."""
    best_score: float = 0.99
    walls: int = 0
    """How many batches of photos for its start the page has asked for."""
    go_on: Event = field(default_factory=Event)
    """Answers wait for this event, which is set unless a test clears it."""

    def index(self) -> Canned:
        """Return the `index` of an answer."""
        listed = {} if self.folders is None else {"folders": [{"name": name, "count": 1} for name in self.folders]}
        return Canned(200, json.dumps({"generation": self.generation, **listed, "columns": self.columns}))

    def sell(self, brands: tuple[str, ...]) -> None:
        """Give each photo a product of one of these brands, in turn, at a price from 10 on."""
        for number, key in enumerate(self.keys):
            price = {"value": 10.0 + number, "currency": "EUR"}
            brand = brands[number % len(brands)]
            self.products[key] = {"id": str(number), "title": f"Garment {number}", "brand": brand, "price": price}
        self.columns = [
            {"name": "id", "type": "text"},
            {"name": "brand", "type": "text", "values": brands},
            {"name": "price", "type": "price", "least": 10, "most": 9.0 + len(self.keys)},
            dict(_SEEN_WORDS),
        ]

    def _meets(self, key: str, condition: str) -> bool:
        if condition.startswith("-"):
            return not self._meets(key, condition[1:])
        column, _, wanted = condition.partition(":")
        value = self.products.get(key, {}).get(column)
        if isinstance(value, dict):
            least, _, most = wanted.partition("..")
            return float(least or 0) <= value["value"] <= float(most or 1e9)
        return value in [each.replace("\\,", ",") for each in re.split(r"(?<!\\),", wanted)]

    def _facet(self, column: str, among: list[str]) -> dict[str, object]:
        values = [self.products[key][column] for key in among if column in self.products.get(key, {})]
        prices = [value["value"] for value in values if isinstance(value, dict)]
        if column == "price":
            return {"least": min(prices), "most": max(prices)} if prices else {}
        counts = Counter(map(str, values))
        return {"values": [{"value": value, "count": count} for value, count in counts.most_common()]}

    def wall(self, parameters: dict[str, str]) -> Canned:
        """Return a batch of photos for the page's start."""
        key = self.keys[23 * self.walls % len(self.keys)] if self.keys else ""
        if not key:
            return Canned(404, '{"title": "There is no image in the gallery"}', "application/problem+json")
        return self.neighbours(Asked("/v1/similar", {**parameters, "key": key}, "", b""))

    def answer(self, asked: Asked) -> Canned:
        """Return the next scripted answer, or else neighbours."""
        return self.canned.popleft() if self.canned else self.neighbours(asked)

    def neighbours(self, asked: Asked) -> Canned:
        """Return neighbours in the order of the keys, starting at the query."""
        given = asked.parameters
        folder = given.get("prefix", "")
        among = [key for key in self.keys if not folder or key.startswith(f"{folder}/")]
        among = [key for key in among if all(self._meets(key, condition) for condition in asked.where)]
        facets = {name: self._facet(name, among) for name in filter(None, given.get("facets", "").split(","))}
        query: dict[str, object] = {}
        if given.get("q"):
            words = given["q"].split()
            query["words"] = {"unknown": [word for word in words if word in self.unknown]}
            if asked.path == "/v1/words" and set(words) <= set(self.unknown):
                among = []
        if asked.path == "/v1/search":
            query["seen"] = self.seen
        elif asked.path != "/v1/words":
            key = given.get("key") or self.keys[5]
            if given.get("product") == "tomorrow":
                problem = {"type": "urn:garment-search:product-unknown", "title": "No such product", "status": 404}
                return Canned(404, json.dumps(problem), "application/problem+json")
            if key not in self.keys:
                problem = {"type": "urn:garment-search:key-unknown", "title": "No such image", "status": 404}
                return Canned(404, json.dumps(problem), "application/problem+json")
            at = self.keys.index(key)
            among = [other for other in self.keys[at + 1 :] + self.keys[:at] if other in among]
            query |= {"key": key, "url": f"{self.image_base}/{key}"}
        offset, k = int(given.get("offset", 0)), int(given.get("k", 16))
        results = [
            {
                "key": key,
                "url": f"{self.image_base}/{key}",
                "score": round(self.best_score - 0.005 * rank, 6),
                **({"product": self.products[key]} if key in self.products else {}),
            }
            for rank, key in enumerate(among)
        ]
        index = {"generation": self.generation, "count": len(self.keys)}
        page = results[offset : offset + k]
        return Canned(200, json.dumps({"results": page, "index": index, "query": query, "facets": facets}))


@contextmanager
def serve_stub(stub: Stub) -> Iterator[Stub]:
    """Answer on a free port."""
    stub.go_on.set()
    with _serving(ThreadingHTTPServer((HOST, 0), partial(_Handler, stub))) as url:
        stub.url = url
        try:
            yield stub
        finally:
            stub.go_on.set()


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve files to pages of every origin, as a CDN for scripts does."""
    with _serving(ThreadingHTTPServer((HOST, 0), partial(_Files, directory=str(folder)))) as url:
        yield url


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[str]:
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, stub: Stub, *arguments: object) -> None:
        self._stub = stub
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
        # Tests neither count, delay nor script what the page asks of its own accord.
        if url.path == "/v1/index":
            return self._send(self._stub.index())
        if "dedupe" in parameters:
            self._stub.walls += 1
            return self._send(self._stub.wall(parameters))
        where = tuple(parse_qs(url.query).get("where", ()))
        asked = Asked(url.path, parameters, self.headers.get("Content-Type", ""), body, where)
        self._stub.asked.append(asked)
        self._stub.go_on.wait(60)
        return self._send(self._stub.answer(asked))

    def _send(self, answer: Canned) -> None:
        content = answer.body.encode()
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # the page cancelled the request

    do_POST = do_GET  # noqa: N815 - the base class's way

    def log_message(self, *_: object) -> None:
        pass


class _Files(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass

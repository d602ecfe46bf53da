"""A stand-in for Google Cloud Storage that answers both protocols in use and really honours preconditions.

google-cloud-storage speaks JSON to it (`STORAGE_EMULATOR_HOST`), obstore XML (`GOOGLE_BASE_URL`).
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c


@dataclass(frozen=True)
class StoredObject:
    name: str
    data: bytes
    generation: int
    content_type: str
    cache_control: str | None
    updated: datetime

    @property
    def md5(self) -> bytes:
        return hashlib.md5(self.data).digest()

    @property
    def hashes(self) -> dict[str, str]:
        crc = google_crc32c.value(self.data).to_bytes(4, "big")
        return {"crc32c": base64.b64encode(crc).decode(), "md5Hash": base64.b64encode(self.md5).decode()}

    @property
    def etag(self) -> str:
        return f'"{self.md5.hex()}"'


class RefusedError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, message: str, code: str = "Error") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class GcsServer:
    """Objects in memory; `url` is where it listens. Use as a context manager."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, StoredObject]] = {}
        self.requests: list[str] = []
        self.before_request: Callable[[str], None] = lambda request: None
        self.seconds_between_writes = 0.0
        self.page_size = 1000
        self._lock = threading.RLock()
        self._faults: list[int] = []
        self._generation = 1000
        self._uploads: dict[str, _Upload] = {}
        self._http = _HttpServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"gcs": self}))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "GcsServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fail_next(self, status: int, times: int = 1) -> None:
        """Answer the next requests with this status and nothing else."""
        self._faults += [status] * times

    def admit(self, request: str) -> None:
        self.before_request(request)
        with self._lock:
            self.requests.append(request)
            if self._faults:
                raise RefusedError(self._faults.pop(0), "injected fault")

    def bucket(self, name: str) -> dict[str, StoredObject]:
        if name not in self.buckets:
            raise RefusedError(404, "The specified bucket does not exist.", "NoSuchBucket")
        return self.buckets[name]

    def read(self, bucket: str, name: str) -> StoredObject:
        objects = self.bucket(bucket)
        if name not in objects:
            raise RefusedError(404, f"No such object: {bucket}/{name}", "NoSuchKey")
        return objects[name]

    def write(
        self, bucket: str, name: str, data: bytes, meta: dict[str, Any], if_generation: str | None
    ) -> StoredObject:
        with self._lock:
            objects = self.bucket(bucket)
            self._check(objects.get(name), if_generation)
            now = datetime.now(UTC)
            last = objects.get(name)
            if last is not None and (now - last.updated).total_seconds() < self.seconds_between_writes:
                raise RefusedError(
                    429, f"The object {bucket}/{name} exceeded the rate limit for object mutation operations"
                )
            self._generation += 1
            content_type = meta.get("contentType") or "application/octet-stream"
            stored = StoredObject(name, data, self._generation, content_type, meta.get("cacheControl"), now)
            objects[name] = stored
            return stored

    def delete(self, bucket: str, name: str, if_generation: str | None) -> None:
        with self._lock:
            self._check(self.read(bucket, name), if_generation)
            del self.bucket(bucket)[name]

    def begin_upload(self, upload: "_Upload") -> str:
        with self._lock:
            self._check(self.bucket(upload.bucket).get(upload.name), upload.if_generation)
            upload_id = f"upload-{len(self._uploads)}"
            self._uploads[upload_id] = upload
            return upload_id

    def continue_upload(self, upload_id: str, chunk: bytes, content_range: str) -> StoredObject | int:
        """The object when that was the last chunk, else the bytes received so far."""
        upload = self._uploads[upload_id]
        upload.data += chunk
        total = content_range.rpartition("/")[2]
        if total == "*" or len(upload.data) < int(total):
            return len(upload.data)
        return self.write(upload.bucket, upload.name, bytes(upload.data), upload.meta, upload.if_generation)

    @staticmethod
    def _check(stored: StoredObject | None, if_generation: str | None) -> None:
        if if_generation is not None and int(if_generation) != (stored.generation if stored else 0):
            raise RefusedError(
                412, "At least one of the pre-conditions you specified did not hold.", "PreconditionFailed"
            )


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with five, the sixth of many threads waits a second


@dataclass
class _Upload:
    bucket: str
    name: str
    meta: dict[str, Any]
    if_generation: str | None
    data: bytearray = field(default_factory=bytearray)


class _Handler(BaseHTTPRequestHandler):
    gcs: GcsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.gcs.admit(f"{self.command} {self.path}")
            for pattern, answer in _ROUTES:
                if match := re.fullmatch(pattern, f"{self.command} {url.path}"):
                    answer(self, *map(unquote, match.groups()))
                    return
            raise RefusedError(400, f"the stand-in does not know {self.command} {self.path}")
        except RefusedError as refused:
            self._refuse(refused, json_wanted=url.path.startswith(("/storage/", "/upload/", "/download/")))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _dispatch  # noqa: N815

    def _refuse(self, refused: RefusedError, json_wanted: bool) -> None:
        if json_wanted:
            self._send_json({"error": {"code": refused.status, "message": refused.message}}, refused.status)
        else:
            text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{refused.code}</Code></Error>"
            self._send(refused.status, text.encode(), {"Content-Type": "application/xml"})

    # JSON

    def json_bucket(self, bucket: str) -> None:
        self.gcs.bucket(bucket)
        self._send_json({"kind": "storage#bucket", "name": bucket})

    def json_list(self, bucket: str) -> None:
        objects = self.gcs.bucket(bucket)
        prefix, after = self.query.get("prefix", ""), self.query.get("pageToken", "")
        names = sorted((name for name in list(objects) if name.startswith(prefix) and name > after), key=str.encode)
        size = min(int(self.query.get("maxResults", self.gcs.page_size)), self.gcs.page_size)
        page: dict[str, Any] = {"items": [self._resource(bucket, objects[name]) for name in names[:size]]}
        if len(names) > size:
            page["nextPageToken"] = names[size - 1]
        self._send_json(page)

    def json_get(self, bucket: str, name: str) -> None:
        stored = self.gcs.read(bucket, name)
        if self.query.get("alt") == "media":
            self._send_content(stored)
        else:
            self._send_json(self._resource(bucket, stored))

    def json_delete(self, bucket: str, name: str) -> None:
        self.gcs.delete(bucket, name, self.query.get("ifGenerationMatch"))
        self._send(204)

    def json_upload(self, bucket: str) -> None:
        if_generation, kind = self.query.get("ifGenerationMatch"), self.query["uploadType"]
        if kind == "media":
            meta = {"contentType": self.headers["Content-Type"]}
            stored = self.gcs.write(bucket, self.query["name"], self.body, meta, if_generation)
        elif kind == "multipart":
            boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])[1].encode()  # type: ignore[index]
            _, first, second, _ = self.body.split(b"--" + boundary, 3)
            meta = json.loads(first.partition(b"\r\n\r\n")[2])
            head, _, data = second.partition(b"\r\n\r\n")
            meta.setdefault("contentType", re.search(rb"(?i)content-type: *([^\r\n]+)", head)[1].decode())  # type: ignore[index]
            stored = self.gcs.write(bucket, meta["name"], data.removesuffix(b"\r\n"), meta, if_generation)
        else:
            meta = {"contentType": self.headers.get("X-Upload-Content-Type")} | json.loads(self.body or b"{}")
            name = meta.get("name") or self.query["name"]
            upload_id = self.gcs.begin_upload(_Upload(bucket, name, meta, if_generation))
            location = f"{self.gcs.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
            self._send(200, headers={"Location": location})
            return
        self._send_json(self._resource(bucket, stored))

    def json_upload_chunk(self, bucket: str) -> None:
        done = self.gcs.continue_upload(self.query["upload_id"], self.body, self.headers.get("Content-Range", "/*"))
        if isinstance(done, int):
            self._send(308, headers={"Range": f"bytes=0-{done - 1}"})
        else:
            self._send_json(self._resource(bucket, done))

    def _resource(self, bucket: str, stored: StoredObject) -> dict[str, Any]:
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": stored.name,
            "size": str(len(stored.data)),
            "generation": str(stored.generation),
            "metageneration": "1",
            "etag": f"CO{stored.generation}=",  # of the generation, not of the content
            "updated": stored.updated.isoformat().replace("+00:00", "Z"),
            "contentType": stored.content_type,
            "cacheControl": stored.cache_control,
            **stored.hashes,
        }

    # XML

    def xml_get(self, bucket: str, name: str) -> None:
        self._send_content(self.gcs.read(bucket, name))

    def xml_put(self, bucket: str, name: str) -> None:
        meta = {"contentType": self.headers.get("Content-Type"), "cacheControl": self.headers.get("Cache-Control")}
        if_generation = self.headers.get("x-goog-if-generation-match")
        stored = self.gcs.write(bucket, name, self.body, meta, if_generation)
        self._send(200, headers={"ETag": stored.etag, "x-goog-generation": str(stored.generation)})

    def xml_delete(self, bucket: str, name: str) -> None:
        self.gcs.delete(bucket, name, self.headers.get("x-goog-if-generation-match"))
        self._send(204)

    # Answers

    def _send_content(self, stored: StoredObject) -> None:
        headers = {
            "Content-Type": stored.content_type,
            "ETag": stored.etag,
            "Last-Modified": format_datetime(stored.updated, usegmt=True),
            "x-goog-generation": str(stored.generation),
            "x-goog-metageneration": "1",
            "x-goog-hash": f"crc32c={stored.hashes['crc32c']},md5={stored.hashes['md5Hash']}",
            "Accept-Ranges": "bytes",
        }
        if stored.cache_control is not None:
            headers["Cache-Control"] = stored.cache_control
        if self.headers.get("If-Match", stored.etag) != stored.etag:
            raise RefusedError(412, "If-Match did not hold", "PreconditionFailed")
        if self.headers.get("If-None-Match") == stored.etag:
            self._send(304, headers=headers)
            return
        status, data = 200, stored.data
        if span := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, stop = int(span[1]), min(int(span[2] or len(data)) + 1, len(data))
            if start >= len(data):
                raise RefusedError(416, "The requested range cannot be satisfied.", "InvalidRange")
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
            status, data = 206, data[start:stop]
        self._send(status, data, headers)

    def _send_json(self, answer: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


_JSON_OBJECT = "/storage/v1/b/([^/]+)/o/(.+)"
_ROUTES: list[tuple[str, Callable[..., None]]] = [
    ("GET /storage/v1/b/([^/]+)", _Handler.json_bucket),
    ("GET /storage/v1/b/([^/]+)/o", _Handler.json_list),
    (f"GET (?:/download)?{_JSON_OBJECT}", _Handler.json_get),
    (f"DELETE {_JSON_OBJECT}", _Handler.json_delete),
    ("POST /upload/storage/v1/b/([^/]+)/o", _Handler.json_upload),
    ("PUT /upload/storage/v1/b/([^/]+)/o", _Handler.json_upload_chunk),
    ("(?:GET|HEAD) /([^/]+)/(.+)", _Handler.xml_get),
    ("PUT /([^/]+)/(.+)", _Handler.xml_put),
    ("DELETE /([^/]+)/(.+)", _Handler.xml_delete),
]

"""A stand-in for Amazon S3 Vectors: its wire protocol, its limits, and exact neighbours.

Every request and every answer is held against botocore's own description of the service.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import ge, gt, le, lt
from typing import Any
from zlib import crc32

import numpy as np
from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

MODEL = ServiceModel(Loader().load_service_model("s3vectors", "service-2"))
ACCOUNT, REGION = "123456789012", "us-east-1"
COMPARISONS = {"$gte": ge, "$gt": gt, "$lte": le, "$lt": lt}
FILTERABLE_BYTES, MOST_RESULTS, LIST_BYTES = 2048, 10_000, 1_000_000


@dataclass
class Vector:
    data: list[float]
    metadata: dict[str, Any]


@dataclass
class Index:
    dimension: int
    not_filterable: frozenset[str]
    vectors: dict[str, Vector] = field(default_factory=dict)


class RefusedError(Exception):
    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        shape = MODEL.shape_for(code)
        self.status = status or shape.metadata.get("error", {}).get("httpStatusCode", 400)


class S3VectorsServer:
    """Vector buckets in memory; `url` is where it listens. Use as a context manager."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Index]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda operation, asked: None
        self.after: Callable[[str], None] = lambda operation: None
        """May raise RefusedError too: what was asked has been done by then, and the answer is lost."""
        self.page_size = 100
        self._lock = threading.RLock()
        self._faults: list[str] = []
        self._rest: dict[str, list[dict[str, Any]]] = {}
        self._http = _HttpServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": self}))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> "S3VectorsServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fail_next(self, code: str, times: int = 1) -> None:
        """Answer the next requests with this error."""
        self._faults += [code] * times

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [each for name, each in self.requests if name == operation]

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.requests.append((operation, asked))
            if self._faults:
                raise RefusedError(self._faults.pop(0), "injected fault")
        self.before(operation, asked)
        model = MODEL.operation_model(operation)
        check(asked, model.input_shape)
        with self._lock:
            answer: dict[str, Any] = getattr(self, f"_{re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()}")(asked)
        check(answer, model.output_shape)
        self.after(operation)
        return answer

    def index(self, asked: dict[str, Any]) -> Index:
        indexes = self._bucket(asked)
        if asked["indexName"] not in indexes:
            raise RefusedError("NotFoundException", "The specified index could not be found")
        return indexes[asked["indexName"]]

    def _bucket(self, asked: dict[str, Any]) -> dict[str, Index]:
        if asked["vectorBucketName"] not in self.buckets:
            raise RefusedError("NotFoundException", "The specified vector bucket could not be found")
        return self.buckets[asked["vectorBucketName"]]

    def _create_index(self, asked: dict[str, Any]) -> dict[str, Any]:
        indexes, name = self._bucket(asked), asked["indexName"]
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
            raise RefusedError("ValidationException", "Invalid index name")
        if name in indexes:
            raise RefusedError("ConflictException", "An index with the specified name already exists")
        assert (asked["dataType"], asked["distanceMetric"]) == ("float32", "cosine")
        not_filterable = asked.get("metadataConfiguration", {}).get("nonFilterableMetadataKeys", ())
        indexes[name] = Index(asked["dimension"], frozenset(not_filterable))
        return {"indexArn": self._arn(asked["vectorBucketName"], name)}

    def _get_index(self, asked: dict[str, Any]) -> dict[str, Any]:
        index = self.index(asked)
        described = self._described(asked["vectorBucketName"], asked["indexName"])
        kind = {"dataType": "float32", "dimension": index.dimension, "distanceMetric": "cosine"}
        not_filterable = {"nonFilterableMetadataKeys": sorted(index.not_filterable)}
        return {"index": {**described, **kind, "metadataConfiguration": not_filterable}}

    def _list_indexes(self, asked: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in self._bucket(asked) if name.startswith(asked.get("prefix", ""))]
        return {"indexes": [self._described(asked["vectorBucketName"], name) for name in names]}

    def _delete_index(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._bucket(asked).pop(asked["indexName"], None)
        return {}

    def _put_vectors(self, asked: dict[str, Any]) -> dict[str, Any]:
        index = self.index(asked)
        for each in asked["vectors"]:
            data, metadata = each["data"]["float32"], each.get("metadata", {})
            if len(data) != index.dimension or not any(data) or not np.isfinite(data).all():
                raise RefusedError("ValidationException", "Invalid vector data")
            _check_metadata(metadata, index)
        for each in asked["vectors"]:
            data = np.asarray(each["data"]["float32"], np.float32).tolist()
            index.vectors[each["key"]] = Vector(data, each.get("metadata", {}))
        return {}

    def _delete_vectors(self, asked: dict[str, Any]) -> dict[str, Any]:
        for key in asked["keys"]:
            self.index(asked).vectors.pop(key, None)
        return {}

    def _get_vectors(self, asked: dict[str, Any]) -> dict[str, Any]:
        vectors = self.index(asked).vectors
        return {"vectors": [_shown(key, vectors[key], asked) for key in asked["keys"] if key in vectors]}

    def _list_vectors(self, asked: dict[str, Any]) -> dict[str, Any]:
        count, segment = asked.get("segmentCount", 1), asked.get("segmentIndex", 0)
        if segment >= count:
            raise RefusedError("ValidationException", "segmentIndex must be less than segmentCount")
        vectors = self.index(asked).vectors
        # In no order that means anything.
        keys = sorted((key for key in vectors if crc32(key.encode()) % count == segment), key=lambda key: key[::-1])
        start = int(asked.get("nextToken", 0))
        page: list[dict[str, Any]] = []
        for key in keys[start : start + asked.get("maxResults", 500)]:
            page.append(_shown(key, vectors[key], asked))
            if len(json.dumps(page[-1])) * len(page) > LIST_BYTES:
                break
        token = {"nextToken": str(start + len(page))} if start + len(page) < len(keys) else {}
        return {"vectors": page, **token}

    def _query_vectors(self, asked: dict[str, Any]) -> dict[str, Any]:
        index = self.index(asked)
        if asked["topK"] > MOST_RESULTS:
            raise RefusedError("ValidationException", f"topK is at most {MOST_RESULTS}")
        found = self._rest.pop(asked["nextToken"]) if "nextToken" in asked else self._found(index, asked)
        token = {}
        # What fits into the limit of old comes at once, for clients that know no pages.
        if asked["topK"] > 100 and len(found) > self.page_size:
            token = {"nextToken": secrets.token_hex(8)}
            self._rest[token["nextToken"]] = found[self.page_size :]
            found = found[: self.page_size]
        return {"vectors": found, "distanceMetric": "cosine", **token}

    def _found(self, index: Index, asked: dict[str, Any]) -> list[dict[str, Any]]:
        query = np.asarray(asked["queryVector"]["float32"], np.float32)
        if len(query) != index.dimension or not query.any():
            raise RefusedError("ValidationException", "Invalid query vector")
        where = asked.get("filter")
        keys = [key for key, each in index.vectors.items() if where is None or matches(where, each.metadata, index)]
        if not keys:
            return []
        rows = np.asarray([index.vectors[key].data for key in keys], np.float32)
        cosines = np.vecdot(rows, query) / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
        distances = np.maximum(np.float32(1) - cosines, 0)
        best = np.argsort(distances, kind="stable")[: asked["topK"]]
        shown = asked.get("returnDistance", False)
        return [
            {
                **_shown(keys[row], index.vectors[keys[row]], asked),
                **({"distance": float(distances[row])} if shown else {}),
            }
            for row in best
        ]

    def _described(self, bucket: str, name: str) -> dict[str, Any]:
        return {
            "vectorBucketName": bucket,
            "indexName": name,
            "indexArn": self._arn(bucket, name),
            "creationTime": 1790000000,
        }

    @staticmethod
    def _arn(bucket: str, name: str) -> str:
        return f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/{bucket}/index/{name}"


def check(value: Any, shape: Shape | None) -> None:
    """What botocore's description says of a value: types, required members, and the limits that it does not enforce."""
    if shape is None:
        return
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        raise RefusedError("ValidationException", report.generate_report())
    _check_limits(value, shape)


def _check_limits(value: Any, shape: Shape) -> None:
    least, most, pattern = (shape.metadata.get(name) for name in ("min", "max", "pattern"))
    size = value if isinstance(value, (int, float)) else len(value)
    if (least is not None and size < least) or (most is not None and size > most):
        raise RefusedError("ValidationException", f"{shape.name}: {size} is not within {least} and {most}")
    if pattern and not re.fullmatch(pattern, value):
        raise RefusedError("ValidationException", f"{shape.name}: {value!r} is not {pattern}")
    if isinstance(shape, ListShape):
        for each in value:
            _check_limits(each, shape.member)
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        for name, each in value.items():
            if name not in shape.members:
                raise RefusedError("ValidationException", f"{shape.name} has no {name}")
            _check_limits(each, shape.members[name])


def _check_metadata(metadata: dict[str, Any], index: Index) -> None:
    filterable = {name: each for name, each in metadata.items() if name not in index.not_filterable}
    if len(json.dumps(filterable).encode()) > FILTERABLE_BYTES:
        raise RefusedError("ValidationException", "Filterable metadata must have at most 2048 bytes")
    for each in metadata.values():
        if not isinstance(each, (str, int, float, bool)) and not (isinstance(each, list) and each):
            raise RefusedError("ValidationException", "Invalid metadata value")


def matches(where: dict[str, Any], metadata: dict[str, Any], index: Index) -> bool:
    """The operators of the user guide's page on metadata filtering that are in use here."""
    [(name, wanted)] = where.items()
    if name in ("$and", "$or"):
        assert wanted
        return (all if name == "$and" else any)(matches(each, metadata, index) for each in wanted)
    if name in index.not_filterable:
        raise RefusedError("ValidationException", f"{name} is not filterable")
    [(operator, operand)] = wanted.items()
    value = metadata.get(name)
    if operator == "$exists":
        return (name in metadata) == operand
    if operator in ("$in", "$nin"):
        assert isinstance(operand, list)
        assert operand
        values = value if isinstance(value, list) else [value]
        return name in metadata and any(each in operand for each in values) == (operator == "$in")
    if operator == "$eq":
        return operand in value if isinstance(value, list) else value == operand
    if operator in COMPARISONS:
        if not isinstance(operand, (int, float)):
            raise RefusedError("ValidationException", f"{operator} compares numbers")
        return isinstance(value, (int, float)) and COMPARISONS[operator](value, operand)
    raise RefusedError("ValidationException", f"the stand-in does not know {operator}")


def _shown(key: str, vector: Vector, asked: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": key}
    if asked.get("returnData"):
        shown["data"] = {"float32": vector.data}
    if asked.get("returnMetadata"):
        shown["metadata"] = vector.metadata
    return shown


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    store: S3VectorsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            scope = f"/{REGION}/s3vectors/aws4_request"
            if scope not in self.headers.get("Authorization", ""):
                raise RefusedError("AccessDeniedException", f"not signed for {scope}")
            if len(body) > 20 * 2**20:
                raise RefusedError("ValidationException", "the payload has more than 20 MiB")
            self._send(200, self.store.answer(self.path.lstrip("/"), json.loads(body)))
        except RefusedError as refused:
            self._send(refused.status, {"message": refused.message}, {"x-amzn-ErrorType": refused.code})

    def _send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass

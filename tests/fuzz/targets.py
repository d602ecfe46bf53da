"""The fuzzed functions, and what must hold for any input. `test_corpus.py` replays the corpus without a fuzzer."""

import re
import tempfile
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from embeddings.errors import PhotoError
from embeddings.preprocess import Limits, photo_pixels
from embeddings.rebuild import rebuild
from functions.search.admission import Gate
from functions.search.application import Application
from functions.search.current_generation import CurrentGeneration
from functions.settings import SearchSettings
from tests.functions.http_client import Answer, check_contract
from tests.photos import photo

_ROOT = Path(__file__).parents[2]
_MODEL = _ROOT / "tests" / "models" / "float32-12d.tflite"
_SECRET = "secret-place"
_MAX_BYTES = 20_000
_INNER = re.compile(rf"0x[0-9a-f]{{6}}|Traceback|\.py|{_SECRET}|tests-only")


def preprocess(data: bytes) -> None:
    """Check that the data gives a picture, or one of our errors with a message fit for people."""
    try:
        pixels = photo_pixels(data, limits=Limits(max_bytes=1_000_000, max_pixels=250_000))
    except PhotoError as error:
        _check_text(str(error))
    else:
        assert (pixels.shape, pixels.dtype.name) == ((160, 160, 3), "uint8")


def http(data: bytes) -> None:
    """Check that the answer is one that openapi.json declares, not a 500, and reveals nothing of this machine.

    Args:
        data: a request as text: `METHOD /target`, header lines, an empty line, the body. Whatever else it is, is read
            as far as possible.
    """
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    path, _, query = (target or "/").partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method if re.fullmatch("[A-Z]{1,10}", method) else "POST",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().upper().replace("-", "_")
        environ[name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"] = value.strip()
    started: list[Any] = []
    start: Any = lambda *arguments: started.append(arguments)  # noqa: E731
    content = b"".join(application()(environ, start))
    [(status, headers)] = started
    answer = Answer(int(status.partition(" ")[0]), headers, content)
    assert answer.status < 500, content
    for name, value in headers:
        assert value.isascii(), (name, value)
        assert value.isprintable(), (name, value)
    if environ["REQUEST_METHOD"] != "OPTIONS":
        check_contract(environ["REQUEST_METHOD"], environ["PATH_INFO"] or "/", answer)
    if answer.status >= 400 and content:
        _check_text(answer.json["detail"])


TARGETS: dict[str, Callable[[bytes], None]] = {"preprocess": preprocess, "http": http}


@cache
def application() -> Application:
    """Make an application over a gallery of two photos."""
    folder = Path(tempfile.mkdtemp(prefix=_SECRET))
    for name in ("a.jpg", "b.jpg"):
        (folder / "gallery").mkdir(exist_ok=True)
        (folder / "gallery" / name).write_bytes(photo("red" if name == "a.jpg" else "blue", (40, 40)))
    index = str(folder / "index")
    rebuild(str(folder / "gallery"), index, model=_MODEL)
    settings = SearchSettings.read(
        {
            "INDEX_URI": index,
            "IMAGE_BASE_URL": "https://images.example",
            "CORS_ORIGINS": "https://shop.example",
            "MAX_UPLOAD_BYTES": str(_MAX_BYTES),
            "MAX_PIXELS": "250000",
        }
    )
    current = CurrentGeneration(index, 86_400)
    current.get()
    return Application(settings, current, Gate(1))


def _check_text(message: str) -> None:
    assert message.isprintable(), message
    assert len(message) < 400, message
    assert not _INNER.search(message), message

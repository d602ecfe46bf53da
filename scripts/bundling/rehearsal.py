"""Try an unpacked bundle, with nothing but the bundle and the standard library on the path.

    python -I -S -B rehearsal.py BUNDLE GALLERY index     draw photos, index them, import every module of the project
    python -I -S -B rehearsal.py BUNDLE GALLERY query     search for each photo through the Lambda handler

The environment is that of the search function. `query` prints a line of JSON: `answers` (the photo's key, HTTP status,
body), `modules` (names of imported modules, except those of the standard library) and `import_ms`.
"""

import json
import os
import sys
import time
from base64 import b64encode
from importlib import import_module
from pathlib import Path
from typing import Any

_PHOTOS = {"across.jpg": "JPEG", "ring.png": "PNG", "down.webp": "WEBP"}
_FROM_LAMBDA = ("boto3", "botocore")
"""Lambda's Python runtimes include these, so a bundle does not; a query must not need them."""


def draw_and_index(gallery: Path) -> None:
    """Draw one photo in each format, and index them with the model in the bundle."""
    from PIL import Image

    down, ring = Image.linear_gradient("L"), Image.radial_gradient("L")
    across, flat = down.transpose(Image.Transpose.ROTATE_90), Image.new("L", down.size, 40)
    channels = [(across, flat, flat), (ring, ring, flat), (flat, down, down)]
    gallery.mkdir()
    for (name, file_format), bands in zip(_PHOTOS.items(), channels, strict=True):
        Image.merge("RGB", bands).save(gallery / name, file_format)

    from embeddings.rebuild import rebuild

    summary = rebuild(str(gallery), os.environ["INDEX_URI"])
    if summary.count != len(_PHOTOS):
        sys.exit(f"some photos were not indexed: {summary}")


def import_all(bundle: Path) -> None:
    """Import every module, because some are imported only when they are needed."""
    import_module("PIL.ImageCms").createProfile("sRGB")  # loads the extension module behind it
    for package in ("embeddings", "functions"):
        for file in sorted((bundle / package).rglob("*.py")):
            parts = file.relative_to(bundle).with_suffix("").parts
            try:
                import_module(".".join(parts).removesuffix(".__init__"))
            except ModuleNotFoundError as error:
                if str(error.name).split(".")[0] not in _FROM_LAMBDA:
                    raise


def ask(gallery: Path) -> dict[str, Any]:
    """Load the handler as Lambda does, and search for each photo."""
    began = time.perf_counter()
    from functions.aws import search

    import_ms = round((time.perf_counter() - began) * 1000)
    answers = []
    for name in _PHOTOS:
        answer = search(_event((gallery / name).read_bytes()), None)
        answers.append({"key": name, "status": answer["statusCode"], "body": json.loads(answer["body"])})
    known = {*sys.stdlib_module_names, "__main__"}
    # modules without a file are parts of an extension module
    modules = sorted(
        name
        for name, module in sys.modules.items()
        if name.split(".")[0] not in known and getattr(module, "__file__", None)
    )
    return {"answers": answers, "modules": modules, "import_ms": import_ms}


def _event(photo: bytes) -> dict[str, Any]:
    """Follow https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/v1/search",
        "rawQueryString": "k=2",
        "headers": {"content-type": "application/octet-stream", "content-length": str(len(photo)), "host": "rehearsal"},
        "requestContext": {
            "http": {"method": "POST", "path": "/v1/search", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "body": b64encode(photo).decode(),
        "isBase64Encoded": True,
    }


if __name__ == "__main__":
    bundle, gallery, step = sys.argv[1:]
    sys.path.insert(0, bundle)
    if step == "index":
        draw_and_index(Path(gallery))
        import_all(Path(bundle))
    else:
        print(json.dumps(ask(Path(gallery))))

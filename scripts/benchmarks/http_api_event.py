"""Requests as an HTTP API hands them to the Lambda handler, and the environment of that handler."""

import json
from base64 import b64encode
from pathlib import Path

HANDLER = {
    # as in serverless.yml
    "AWS_LAMBDA_FUNCTION_NAME": "search",
    "_HANDLER": "functions.aws.search",
    "IMAGE_BASE_URL": "https://images.example.com/shop",
    "REFRESH_SECONDS": "86400",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}


def write_event(file: Path, photo: bytes) -> Path:
    """Write a search by `photo` to `file`, as JSON in payload format 2.0; return the file."""
    event = {
        "version": "2.0",
        "rawPath": "/v1/search",
        "rawQueryString": "",
        "headers": {"content-type": "application/octet-stream", "host": "search.example.com"},
        "requestContext": {"http": {"method": "POST", "path": "/v1/search", "protocol": "HTTP/1.1", "sourceIp": "::1"}},
        "body": b64encode(photo).decode(),
        "isBase64Encoded": True,
    }
    file.write_text(json.dumps(event))
    return file

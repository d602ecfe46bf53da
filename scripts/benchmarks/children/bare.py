"""The floors: a query, embedding and listing by bare library calls.

The argument `work` names one of the functions below; the others are its arguments.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.benchmarks.bare_calls import BareCalls


def query(model: str, matrix: str, keys: str, photo: str) -> dict[str, Any]:
    """Answer one query with local files: the floor of a cold start."""
    bare = BareCalls(model)
    bare.load(matrix, keys)
    answer = bare.search(bare.embed(photo))
    return {"answered": time.monotonic(), "first": answer[0]}


def embed(model: str, gallery: str, part: list[int]) -> dict[str, Any]:
    """Decode and embed photos one after the other; tell the seconds per photo.

    Args:
        model: path of the .tflite file.
        gallery: folder of photos.
        part: start, stop and step in the sorted gallery.
    """
    bare = BareCalls(model)
    photos = list(map(str, sorted(Path(gallery).iterdir())[slice(*part)]))
    bare.embed(photos[0])
    began = time.perf_counter()
    for photo in photos:
        bare.embed(photo)
    return {"seconds": (time.perf_counter() - began) / len(photos)}


def list_bucket(bucket: str, prefix: str) -> dict[str, Any]:
    """List a bucket once with boto3; tell the seconds."""
    import boto3  # here, because a cold start must not wait for it

    pages = boto3.client("s3").get_paginator("list_objects_v2")
    began = time.perf_counter()
    count = sum(len(page["Contents"]) for page in pages.paginate(Bucket=bucket, Prefix=prefix))
    return {"seconds": time.perf_counter() - began, "count": count}


given = json.loads(sys.argv[1])
works: dict[str, Callable[..., dict[str, Any]]] = {"query": query, "embed": embed, "list": list_bucket}
print(json.dumps(works[given.pop("work")](**given)))

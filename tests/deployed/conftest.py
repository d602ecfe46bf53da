"""A deployment: buckets, queue and notification on moto's server, functions as processes."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import boto3
import pytest

from embeddings.index.manifest import SOURCES
from embeddings.index.publish import read_file, read_pointer
from embeddings.index.sources import Sources
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.target import Target, local_target
from tests.bundle.fixtures import PYTHON
from tests.deployed.event_source import Queue
from tests.deployed.instance import Instance, Runtime, runtime
from tests.rebuild.gallery import Shop
from tests.servers.s3 import S3Server

ROOT = Path(__file__).parents[2]
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "urllib3", "six")
"""What Lambda's runtime has of its own: pure Python, so it works with another Python than the tests'."""

Start = Callable[..., Instance]


@pytest.fixture(scope="session")
def runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, as its bytecode is written beside it."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if source.suffix in (".py", ".json", ".gz", ".pem") and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.suffix == ".py":
                    shutil.copyfile(source, target)
                else:
                    target.symlink_to(source)
    return folder


@pytest.fixture(scope="session", params=["source", "bundle"])
def code(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """The checkout with the tests' own Python, and the bundle with Lambda's."""
    if request.param == "source":
        with runtime((sys.executable, "-P"), (ROOT,)) as source:
            yield source
        return
    interpreter: Interpreter = request.getfixturevalue("bundle_interpreter")
    if local_target(PYTHON) != Target("x86_64", PYTHON):
        pytest.skip("only x86_64 Linux runs this bundle")
    folders = (request.getfixturevalue("unpacked_x86_64"), request.getfixturevalue("runtime_folder"))
    with runtime((interpreter.path, "-I", "-S"), folders) as bundle:
        yield bundle


@dataclass
class Deployment(Shop):
    """A gallery whose bucket tells a queue, and a private index."""

    queue: Queue

    def sources(self) -> Sources:
        """What the current generation knows of the gallery, unreadable photos included."""
        manifest = read_pointer(self.index_files).manifest
        assert manifest is not None
        path = manifest.path(SOURCES)
        return Sources.from_bytes(read_file(self.index_files, path, manifest.files[SOURCES]), path)


@pytest.fixture
def shop(s3_server: S3Server) -> Deployment:
    """Three photos, indexed with a small model."""
    queue, bucket = Queue(), s3_server.new_bucket()
    shop = Deployment(f"s3://{bucket}/photos", f"s3://{s3_server.new_bucket()}/index", queue)
    shop.put({"red.jpg": "red", "green.jpg": "green", "blue.jpg": "blue"})
    shop.rebuild()
    told: Any = {"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    boto3.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    return shop


@pytest.fixture
def start(shop: Deployment, code: Runtime, tmp_path: Path) -> Iterator[Start]:
    """Start an instance of a handler; more than one may run at once."""
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        "INDEX_URI": shop.index,
        "GALLERY_URI": shop.gallery,
        "REINDEX_QUEUE_URL": shop.queue.url,
        "SIGNED_URL_SECONDS": "300",
        "REFRESH_SECONDS": "1",
    }
    with ExitStack() as running:

        def start(handler: str) -> Instance:
            log = tmp_path / f"{handler}-{len(list(tmp_path.glob('*.log')))}.log"
            return running.enter_context(code.started(handler, environment, log))

        yield start

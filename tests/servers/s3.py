"""A stand-in for Amazon: moto over HTTP, in this process. It takes seconds to import, so only its first user does."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class S3Server:
    """moto's S3, as seen by clients at `url` and from inside."""

    url: str

    def new_bucket(self) -> str:
        name = f"bucket-{secrets.token_hex(8)}"
        self._backend.create_bucket(name, "us-east-1")
        return name

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Put an object past the clients, which refuse some keys."""
        self._backend.put_object(bucket, key, data)

    @property
    def _backend(self) -> Any:
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


@contextmanager
def running_moto() -> Iterator[str]:
    """Yield the address of a server with every service that moto has."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints a line a request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()

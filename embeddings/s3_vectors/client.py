"""The client of Amazon S3 Vectors, with its errors translated to this library's.

It needs botocore, which Lambda provides, and which is imported only if an index names a vector index.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from embeddings.errors import NotFoundError, StorageError
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.storage.aws_credentials import CREDENTIALS_ERRORS, no_credentials
from embeddings.storage.http_errors import storage_error

SEARCHING = Config(
    connect_timeout=1,
    read_timeout=3,  # S3 Vectors promises "sub-second" for an index that was idle
    max_pool_connections=16,
    retries={"mode": "standard", "total_max_attempts": 2},
)
LOOKING = Config(
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=16,
    retries={"mode": "standard", "total_max_attempts": 10},
)
CHANGING = Config(
    connect_timeout=5,
    read_timeout=60,
    # `S3VectorsWriter` repeats requests itself: a long fill would use up botocore's retry quota.
    retries={"mode": "standard", "total_max_attempts": 1},
)


def open_client(index: VectorIndexName, config: Config) -> Any:
    """Open a client with the environment's region and credentials. Threads may share it.

    Raises:
        StorageError: the environment names no region, or an impossible one.
    """
    with explained(index):
        return _session().create_client("s3vectors", config=config)


@cache
def _session() -> botocore.session.Session:
    """Share one session, which parses the service's description once."""
    return botocore.session.get_session()


@contextmanager
def explained(index: VectorIndexName) -> Iterator[None]:
    """Translate the client's errors to those of `embeddings.errors`."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            raise NotFoundError(f"{index}: there is no such vector bucket, or no such index in it") from error
        raise storage_error(str(index), status, error) from error
    except CREDENTIALS_ERRORS as error:
        raise no_credentials(str(index), error) from error
    except NoRegionError as error:
        raise StorageError(f"{index}: the region is not known; set AWS_DEFAULT_REGION") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: the endpoint is not a URL
        raise storage_error(str(index), None, error) from error

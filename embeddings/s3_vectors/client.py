"""The client of Amazon S3 Vectors, and what it says as this library's errors.

Of botocore, which Lambda has of its own. Only where an index names a vector index is it imported.
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
    read_timeout=3,  # "sub-second" for an index that was not asked for long
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
    """Region and credentials are the environment's. Safe to share between threads.

    Raises:
        StorageError: it has no region, or none that can be used.
    """
    with explained(index):
        return _session().create_client("s3vectors", config=config)


@cache
def _session() -> botocore.session.Session:
    """One, as it parses the service's description once."""
    return botocore.session.get_session()


@contextmanager
def explained(index: VectorIndexName) -> Iterator[None]:
    """Turns the client's errors into those of `embeddings.errors`."""
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
        raise StorageError(f"{index}: in which region? Set AWS_DEFAULT_REGION") from error
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
        raise storage_error(str(index), None, error) from error

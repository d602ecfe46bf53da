"""Errors of AWS credentials, which all clients of Amazon's services share."""

from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from embeddings.errors import StorageError

CREDENTIALS_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
)


def no_credentials(where: str, error: Exception) -> StorageError:
    """Return the error to raise for any of `CREDENTIALS_ERRORS`."""
    return StorageError(
        f"{where}: no usable AWS credentials ({error}); set AWS_PROFILE to a profile of `aws configure`, or "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )

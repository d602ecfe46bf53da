"""Listing and writing objects: a writer over boto3, google-cloud-storage or a local folder."""

from embeddings.errors import StorageUriError
from embeddings.storage.objects import Writer
from embeddings.storage.uri import StorageUri


def open_writer(uri: str) -> Writer:
    """Open storage for listing and writing; the SDK is imported here and only for its own kind.

    Raises:
        StorageUriError: not such an address, or the SDK for it is not installed.
        StorageError: there are no credentials for it.
    """
    address = StorageUri.parse(uri)
    if address.scheme == "s3":
        try:
            from embeddings.storage.writers.s3 import S3Writer
        except ImportError as error:
            raise StorageUriError(f"writing to {uri} needs boto3: pip install boto3 ({error})") from error
        return S3Writer(address)
    if address.scheme == "gs":
        try:
            from embeddings.storage.writers.gcs import GcsWriter
        except ImportError as error:
            raise StorageUriError(
                f"writing to {uri} needs google-cloud-storage: pip install google-cloud-storage ({error})"
            ) from error
        return GcsWriter(address)
    from embeddings.storage.writers.local import LocalWriter

    return LocalWriter(address)

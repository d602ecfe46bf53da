"""Writers over boto3, google-cloud-storage and a local folder."""

from embeddings.errors import StorageUriError
from embeddings.storage.objects import Writer
from embeddings.storage.uri import StorageUri


def open_writer(uri: str) -> Writer:
    """Open storage for listing and writing, importing only the SDK that the address needs.

    Raises:
        StorageUriError: the address is not one, or its SDK is not installed.
        StorageError: there are no credentials.
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

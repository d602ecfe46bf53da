"""Every error this library raises on purpose, under one base. Messages are for people and say what to do.

Messages may name keys and URIs: they are for logs and terminals. What a client of the HTTP service is told is decided
in `functions.search.problems`.
"""


class GarmentSearchError(Exception):
    """Base of all errors of this library."""


class PhotoError(GarmentSearchError):
    """The photo cannot be embedded; another photo may."""


class EmptyPhotoError(PhotoError):
    """There are no bytes."""


class PhotoTooLargeError(PhotoError):
    """More bytes or pixels than the limits allow."""


class UnsupportedPhotoError(PhotoError):
    """Not a JPEG, PNG or WebP image."""


class BrokenPhotoError(PhotoError):
    """An image by its first bytes, but truncated or damaged."""


class ModelError(GarmentSearchError):
    """The model file is not one this library can use, or disagrees with its card."""


class StorageError(GarmentSearchError):
    """Storage failed or refused."""


class UnavailableError(StorageError):
    """Storage did not answer, or is busy: it concerns all objects alike, and passes."""


class ArchivedError(StorageError):
    """The object is in an archive and must be restored before it can be read."""


class WrongSizeError(StorageError):
    """The object has not the size it should have."""


class NotFoundError(StorageError):
    """There is no object under this key."""


class ConflictError(StorageError):
    """A conditional write lost: somebody else wrote the object in between."""


class StorageUriError(GarmentSearchError):
    """Not an address of storage this library understands."""


class GalleryIndexError(GarmentSearchError):
    """Base of what can be wrong with an index."""


class NoIndexError(GalleryIndexError):
    """Nothing was ever published there."""


class CorruptIndexError(GalleryIndexError):
    """A file of the index is missing, damaged or of another format."""


class UnknownKeyError(GarmentSearchError):
    """The gallery has no such key."""


class EmptyGalleryError(GarmentSearchError):
    """The gallery has no image to answer with."""


class SearchDepthError(GarmentSearchError):
    """The engine that is asked gives no so many results."""

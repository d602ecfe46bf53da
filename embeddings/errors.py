"""The errors this library raises on purpose, under one base class. Each message says what is wrong and what to do.

Messages go to logs and terminals, so they may name keys and URIs. `functions.search.problems` decides what a client of
the HTTP service is told.
"""


class GarmentSearchError(Exception):
    """Base of all errors of this library."""


class PhotoError(GarmentSearchError):
    """The photo cannot be embedded; another photo may."""


class EmptyPhotoError(PhotoError):
    """The photo has no bytes."""


class PhotoTooLargeError(PhotoError):
    """The photo has more bytes or pixels than the limits allow."""


class UnsupportedPhotoError(PhotoError):
    """The file is not a JPEG, PNG or WebP image."""


class BrokenPhotoError(PhotoError):
    """The file begins as an image does, but is truncated or damaged."""


class ModelError(GarmentSearchError):
    """This library cannot use the model file, or the file disagrees with its card."""


class StorageError(GarmentSearchError):
    """Storage failed, or refused the request."""


class UnavailableError(StorageError):
    """Storage did not answer, or is busy. This affects all objects alike, and passes."""


class ArchivedError(StorageError):
    """The object is in an archive and must be restored before it can be read."""


class WrongSizeError(StorageError):
    """The object is not of the size it should be."""


class NotFoundError(StorageError):
    """There is no object with this key."""


class ConflictError(StorageError):
    """A conditional write lost: somebody else has written the object since it was read."""


class StorageUriError(GarmentSearchError):
    """The text is not an address of storage that this library knows."""


class GalleryIndexError(GarmentSearchError):
    """Base of the errors about an index."""


class NoIndexError(GalleryIndexError):
    """Nothing has been published at this address yet."""


class CorruptIndexError(GalleryIndexError):
    """A file of the index is missing, damaged or in another format."""


class FeedError(GarmentSearchError):
    """The product feed as a whole cannot be used."""


class UnknownKeyError(GarmentSearchError):
    """The gallery has no such key."""


class UnknownProductError(GarmentSearchError):
    """The gallery has no photo of such a product."""


class ConditionError(GarmentSearchError):
    """A condition on products is malformed, or does not fit the columns of the index."""


class EmptyGalleryError(GarmentSearchError):
    """The gallery, or the folder asked for, has no image."""


class SearchDepthError(GarmentSearchError):
    """The engine cannot return that many results."""

"""The last generation, as far as a rebuild can build on it."""

import gzip
import logging
import zlib
from dataclasses import replace

import numpy as np

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.errors import CorruptIndexError, GalleryIndexError
from embeddings.index.generation import read_folders, read_vectors
from embeddings.index.manifest import FEED, FOLDERS, HIDDEN, PRODUCTS, SOURCES, VECTORS
from embeddings.index.publish import Pointer, ProductFiles, Vectors, read_file
from embeddings.index.sources import Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.products.columns import read_seen
from embeddings.products.seen import Seen
from embeddings.storage.objects import Writer

_log = logging.getLogger(__name__)


class LastGeneration:
    """The generation published last. Empty before the first rebuild, or if it is damaged and may be replaced."""

    def __init__(self, index: Writer, pointer: Pointer, *, repair: bool) -> None:
        """Read the sources. Vectors and model are read when they are asked for.

        Raises:
            CorruptIndexError: the sources are damaged, and `repair` is not set. StorageError: storage failed.
        """
        self._index = index
        self.pointer = pointer
        self.manifest = pointer.manifest
        self.sources = Sources()
        self.damaged = pointer.version is not None and pointer.manifest is None
        self.lost: set[str] = set()
        """Paths of the files that `check` found missing or altered."""
        if pointer.manifest is not None:
            path = pointer.manifest.path(SOURCES)
            try:
                self.sources = Sources.from_bytes(read_file(index, path, pointer.manifest.files[SOURCES]), path)
            except CorruptIndexError:
                if not repair:
                    raise
                self.damaged = True

    def check(self) -> None:
        """Read every file that a function loads, and note which are lost, so that this rebuild makes them again.

        A lifecycle rule may have deleted them. Without this check, an index that no function can load would be
        "unchanged" for ever.
        """
        if self.manifest is None:
            return
        entries = {self.manifest.path(name): entry for name, entry in self.manifest.files.items() if name != SOURCES}
        for path, entry in {**entries, self.manifest.model_path: self.manifest.model}.items():
            try:
                read_file(self._index, path, entry)
            except CorruptIndexError as error:
                _log.error("no function can load the index: %s", error)
                self.lost.add(path)

    @property
    def model_lost(self) -> bool:
        """Whether `check` found its model missing or altered."""
        return self.manifest is not None and self.manifest.model_path in self.lost

    @property
    def vector_bucket(self) -> str:
        """The vector bucket that holds its vectors; "" if they are in a matrix, or there are none yet."""
        if self.manifest is None or self.manifest.vector_index is None:
            return ""
        return self.manifest.vector_index.bucket

    def made_by(self, chosen: Embedder | None) -> bool:
        """Say whether this code, with the chosen model or by default with the index's own, makes the same vectors."""
        if self.manifest is None or self.damaged or self.manifest.preprocess != PREPROCESS_VERSION:
            return False
        if {self.manifest.path(VECTORS), self.manifest.path(HIDDEN)} & self.lost:
            return False
        if chosen is not None and chosen.sha256 != self.manifest.model.sha256:
            return False
        # Products come from the feed again, but what the model saw does not.
        return not self._columns_lost or self.vector_bucket != "" or (chosen or self.embedder()).sight is None

    def embedder(self) -> Embedder:
        """Open its own model; before the first generation the bundled one.

        Raises:
            GalleryIndexError: the model cannot be read, or the pointer, which names it, is damaged.
        """
        if self.manifest is None:
            if self.damaged:
                raise GalleryIndexError("the pointer of the index is damaged: with --full, give the --model to use")
            return Embedder(BUNDLED_MODEL)
        try:
            return Embedder(read_file(self._index, self.manifest.model_path, self.manifest.model))
        except CorruptIndexError as error:
            bundled = Embedder(BUNDLED_MODEL)
            if bundled.sha256 == self.manifest.model.sha256:
                return bundled
            raise CorruptIndexError(f"{error}, and give the --model to use") from error

    def folders(self) -> dict[str, int]:
        """Count images by top folder, for a generation in S3 Vectors. Raises CorruptIndexError."""
        assert self.manifest is not None, "a generation in S3 Vectors has a manifest"  # noqa: S101
        return read_folders(
            self.manifest, read_file(self._index, self.manifest.path(FOLDERS), self.manifest.files[FOLDERS])
        )

    def feed(self) -> bytes:
        """Read the product feed that it was made with; b"" if it was made without, or that file is damaged."""
        if self.manifest is None or FEED not in self.manifest.files:
            return b""
        try:
            return gzip.decompress(read_file(self._index, self.manifest.path(FEED), self.manifest.files[FEED]))
        except (CorruptIndexError, OSError, EOFError, zlib.error) as error:
            _log.error("the last product feed cannot be used: %s", error)
            return b""

    def product_files(self) -> ProductFiles:
        """Read its files about products, to publish them again. Raises CorruptIndexError."""
        return ProductFiles(self._columns(), self.feed())

    @property
    def _columns_lost(self) -> bool:
        return self.manifest is not None and self.manifest.path(PRODUCTS) in self.lost

    def _columns(self) -> bytes:
        if self.manifest is None or PRODUCTS not in self.manifest.files:
            return b""
        return read_file(self._index, self.manifest.path(PRODUCTS), self.manifest.files[PRODUCTS])

    def seen(self) -> dict[str, Seen]:
        """Read what the model saw in all photos, hidden ones included, by key; nothing if it does not tell.

        Raises:
            CorruptIndexError.
        """
        if self.vector_bucket or self._columns_lost or not (columns := self._columns()):
            return {}
        keys, seen = [*self.sources.shown, *self.sources.hidden], read_seen(columns, f"{PRODUCTS} of the index")
        if seen and len(seen) != len(keys):
            raise CorruptIndexError(f"{PRODUCTS} of the index is about {len(seen)} images; rebuild with --full")
        return dict(zip(keys, seen, strict=False))

    def vectors(self) -> tuple[Vectors, dict[str, int]]:
        """Read the vectors of all photos, hidden ones included, and the row of each key. Raises CorruptIndexError."""
        assert self.manifest is not None, "nothing is kept of no generation"  # noqa: S101
        data = read_file(self._index, self.manifest.path(VECTORS), self.manifest.files[VECTORS])
        shown, hidden = self.sources.shown, self.sources.hidden
        if len(shown) != self.manifest.count:
            raise CorruptIndexError(
                f"{self.manifest.path(SOURCES)} of the index has {len(shown)} images, the manifest says "
                f"{self.manifest.count}; rebuild with --full"
            )
        vectors = read_vectors(self.manifest, data)
        if hidden:
            data = read_file(self._index, self.manifest.path(HIDDEN), self.manifest.files[HIDDEN])
            vectors = np.concatenate([vectors, read_vectors(replace(self.manifest, count=len(hidden)), data)])
        return vectors, {key: row for row, key in enumerate([*shown, *hidden])}

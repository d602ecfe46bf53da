"""The last generation, as far as a rebuild can build on it."""

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.errors import CorruptIndexError, GalleryIndexError, NotFoundError
from embeddings.index.fetch import check_file
from embeddings.index.generation import read_vectors
from embeddings.index.manifest import SOURCES, VECTORS, FileEntry
from embeddings.index.publish import Current, Vectors
from embeddings.index.sources import Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.storage.writer import Writer


class Past:
    """What was published last: nothing at first, and nothing of use if it is damaged and may be replaced."""

    def __init__(self, index: Writer, current: Current, *, repair: bool) -> None:
        """Read the sources; vectors and model only when they are asked for.

        Raises:
            CorruptIndexError: they are damaged, and `repair` is not set. StorageError: storage failed.
        """
        self._index = index
        self.manifest = current.manifest
        self.sources = Sources()
        self.damaged = current.version is not None and current.manifest is None
        if current.manifest is not None:
            path = current.manifest.path(SOURCES)
            try:
                self.sources = Sources.from_bytes(self._read(path, current.manifest.files[SOURCES]), path)
            except CorruptIndexError:
                if not repair:
                    raise
                self.damaged = True

    def made_by(self, chosen: Embedder | None) -> bool:
        """Whether its vectors are those this code makes, with the chosen model or, if none is chosen, with its own."""
        if self.manifest is None or self.damaged or self.manifest.preprocess != PREPROCESS_VERSION:
            return False
        return chosen is None or chosen.sha256 == self.manifest.model.sha256

    def embedder(self) -> Embedder:
        """Its own model; before the first generation the bundled one.

        Raises:
            GalleryIndexError: the model cannot be read, or it cannot be known which one it was.
        """
        if self.manifest is None:
            if self.damaged:
                raise GalleryIndexError("the pointer of the index is damaged: with --full, say which --model to use")
            return Embedder(BUNDLED_MODEL)
        try:
            return Embedder(self._read(self.manifest.model_path, self.manifest.model))
        except CorruptIndexError as error:
            raise CorruptIndexError(f"{error}, and say which --model to use") from error

    def vectors(self) -> tuple[Vectors, dict[str, int]]:
        """The matrix, and which row a key has. Raises CorruptIndexError."""
        assert self.manifest is not None, "a plan keeps nothing of nothing"  # noqa: S101
        data = self._read(self.manifest.path(VECTORS), self.manifest.files[VECTORS])
        rows = {key: row for row, key in enumerate(sorted(self.sources.etags))}
        return read_vectors(self.manifest, data), rows

    def _read(self, path: str, entry: FileEntry) -> bytes:
        try:
            data = self._index.get(path).data
        except NotFoundError as error:
            raise CorruptIndexError(f"{path} of the index is missing; roll back, or rebuild with --full") from error
        check_file(path, data, entry)
        return data

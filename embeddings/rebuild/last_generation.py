"""The last generation, as far as a rebuild can build on it."""

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.errors import CorruptIndexError, GalleryIndexError
from embeddings.index.generation import read_folders, read_vectors
from embeddings.index.manifest import FOLDERS, SOURCES, VECTORS
from embeddings.index.publish import Pointer, Vectors, read_file
from embeddings.index.sources import Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.storage.objects import Writer


class LastGeneration:
    """What was published last: nothing at first, and nothing of use if it is damaged and may be replaced."""

    def __init__(self, index: Writer, current: Pointer, *, repair: bool) -> None:
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
                self.sources = Sources.from_bytes(read_file(index, path, current.manifest.files[SOURCES]), path)
            except CorruptIndexError:
                if not repair:
                    raise
                self.damaged = True

    @property
    def vector_bucket(self) -> str:
        """Where its vectors are; "" if in a matrix, or nowhere yet."""
        if self.manifest is None or self.manifest.vector_index is None:
            return ""
        return self.manifest.vector_index.bucket

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
            return Embedder(read_file(self._index, self.manifest.model_path, self.manifest.model))
        except CorruptIndexError as error:
            raise CorruptIndexError(f"{error}, and say which --model to use") from error

    def folders(self) -> dict[str, int]:
        """Of a generation in a vector index: images by top folder. Raises CorruptIndexError."""
        assert self.manifest is not None, "there is a vector index"  # noqa: S101
        return read_folders(
            self.manifest, read_file(self._index, self.manifest.path(FOLDERS), self.manifest.files[FOLDERS])
        )

    def vectors(self) -> tuple[Vectors, dict[str, int]]:
        """The matrix, and which row a key has. Raises CorruptIndexError."""
        assert self.manifest is not None, "a plan keeps nothing of nothing"  # noqa: S101
        data = read_file(self._index, self.manifest.path(VECTORS), self.manifest.files[VECTORS])
        rows = {key: row for row, key in enumerate(sorted(self.sources.etags))}
        if len(rows) != self.manifest.count:
            raise CorruptIndexError(
                f"{self.manifest.path(SOURCES)} of the index has {len(rows)} images, the manifest says "
                f"{self.manifest.count}; rebuild with --full"
            )
        return read_vectors(self.manifest, data), rows

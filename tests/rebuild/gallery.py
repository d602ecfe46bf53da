"""A gallery and an index for tests of the rebuild, on any storage."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from embeddings.index.generation import load_generation
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.rebuild import Summary, rebuild
from embeddings.storage.objects import Writer
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer
from tests.photos import photo

MODEL = Path(__file__).parents[1] / "models" / "float32.tflite"
OTHER_MODEL = MODEL.with_name("float32-12d.tflite")
CHECKPOINTS = f"checkpoints/{hashlib.sha256(MODEL.read_bytes()).hexdigest()[:16]}-{PREPROCESS_VERSION}"
"""The folder of MODEL's checkpoints."""


@dataclass
class Shop:
    gallery: str
    index: str

    @cached_property
    def photos(self) -> Writer:
        return open_writer(self.gallery)

    @cached_property
    def index_files(self) -> Writer:
        return open_writer(self.index)

    def put(self, photos: Mapping[str, str | bytes]) -> None:
        """Write photos by key: a colour, or a file's content."""
        for key, content in photos.items():
            self.photos.put(key, photo(content, (80, 100)) if isinstance(content, str) else content)

    def rebuild(self, **options: Any) -> Summary:
        return rebuild(self.gallery, self.index, **{"model": MODEL, **options})

    def load(self) -> Any:
        """The current `Generation`, without its type: tests ask its gallery for what only a matrix or an engine has."""
        return load_generation(open_reader(self.index))

    def paths(self, prefix: str = "") -> list[str]:
        return sorted(each.key for each in self.index_files.list(prefix))

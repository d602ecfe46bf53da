from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embeddings.index.manifest import Manifest
from embeddings.index.publish import read_pointer
from embeddings.rebuild import Summary
from embeddings.s3_vectors.address import VectorIndexName
from tests.rebuild.gallery import Shop
from tests.servers.s3vectors import Index, S3VectorsServer

BUCKET = "shop"


@dataclass
class VectorShop(Shop):
    """A shop whose vectors lie in the engine."""

    engine: S3VectorsServer

    def rebuild(self, **options: Any) -> Summary:
        return super().rebuild(**{"vector_bucket": BUCKET, **options})

    @property
    def manifest(self) -> Manifest:
        manifest = read_pointer(self.index_files).manifest
        assert manifest is not None
        return manifest

    @property
    def vectors(self) -> Index:
        """What the current generation points to."""
        name = self.manifest.vector_index
        assert name is not None
        return self.engine.buckets[name.bucket][name.name]

    def etags(self) -> dict[str, str]:
        return {key: each.metadata["etag"] for key, each in self.vectors.vectors.items()}

    def is_true(self) -> None:
        """The engine and the generation say what the gallery holds."""
        there = {each.key: each.etag for each in self.photos.list()}
        assert self.etags() == there
        assert self.manifest.count == len(there)
        folders = self.load().gallery.folders
        assert sum(folders.values()) == sum("/" in key for key in there)


@pytest.fixture
def shop(tmp_path: Path, vectors_server: S3VectorsServer) -> VectorShop:
    """Three photos in folders, not yet indexed."""
    made = VectorShop(str(tmp_path / "gallery"), str(tmp_path / "index"), vectors_server)
    made.put({"shirts/red.jpg": "red", "shirts/blue.jpg": "blue", "shoes/green.jpg": "green"})
    return made


@pytest.fixture
def index(vectors_server: S3VectorsServer) -> VectorIndexName:
    return VectorIndexName(BUCKET, "garments")

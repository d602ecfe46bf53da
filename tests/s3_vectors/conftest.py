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
class S3VectorsShop(Shop):
    """A shop with its vectors in the engine, as the stand-in for S3 Vectors is called here."""

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
        """The vector index of the current generation."""
        name = self.manifest.vector_index
        assert name is not None
        return self.engine.buckets[name.bucket][name.name]

    def etags(self) -> dict[str, str]:
        return {key: each.metadata["etag"] for key, each in self.vectors.vectors.items()}

    def is_true(self) -> None:
        """Check that engine and generation agree with the gallery."""
        there = {each.key: each.etag for each in self.photos.list()}
        assert self.etags() == there
        assert self.manifest.count == len(there)
        folders = self.load().gallery.folders
        assert sum(folders.values()) == sum("/" in key for key in there)


@pytest.fixture
def shop(tmp_path: Path, vectors_server: S3VectorsServer) -> S3VectorsShop:
    """Three photos in two folders, not indexed yet."""
    made = S3VectorsShop(str(tmp_path / "gallery"), str(tmp_path / "index"), vectors_server)
    made.put({"shirts/red.jpg": "red", "shirts/blue.jpg": "blue", "shoes/green.jpg": "green"})
    return made


@pytest.fixture
def index(vectors_server: S3VectorsServer) -> VectorIndexName:
    return VectorIndexName(BUCKET, "garments")

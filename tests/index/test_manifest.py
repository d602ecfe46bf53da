import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from embeddings.errors import CorruptIndexError
from embeddings.index.manifest import FileEntry, Manifest, new_generation_id
from embeddings.index.sources import Refusal, Sources
from embeddings.s3_vectors.address import VectorIndexName

ENTRY = FileEntry("a" * 64, 7)
MANIFEST = Manifest(
    generation="20261123T120000000000Z-0123abcd",
    built_at="2026-11-23T12:00:00+00:00",
    count=3,
    failed=1,
    dimension=48,
    dtype="float16",
    model=ENTRY,
    preprocess=1,
    files={"vectors.npy": ENTRY, "keys.txt": ENTRY, "sources.json.gz": ENTRY},
)


def test_a_manifest_survives_writing_and_reading() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST
    held = replace(MANIFEST, held=True)
    assert Manifest.from_json(held.to_json()) == held
    files = {"folders.json": ENTRY, "sources.json.gz": ENTRY}
    elsewhere = replace(MANIFEST, files=files, vector_index=VectorIndexName("shop-vectors", "garments"))
    assert Manifest.from_json(elsewhere.to_json()) == elsewhere


def test_only_a_manifest_of_a_vector_index_has_the_second_format() -> None:
    """Versions that know no vector index read the first format alone, and so refuse the second by its number."""
    stored = json.loads(MANIFEST.to_json())
    assert stored["format"] == 1
    stored |= {"format": 2, "vector_index": {"bucket": "Not_A_Name", "name": "garments"}}
    with pytest.raises(CorruptIndexError, match="Not_A_Name"):
        Manifest.from_json(json.dumps(stored).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("generation", "../../etc"),
        ("generation", None),
        ("count", -1),
        ("count", "3"),
        ("count", True),
        ("dimension", 1.5),
        ("built_at", "yesterday"),
        ("model", {"sha256": "short", "size": 1}),
        ("files", {"vectors.npy": {"sha256": "a" * 64, "size": 7}}),
        ("files", []),
    ],
)
def test_impossible_values_are_refused_with_the_files_name(field: str, value: object) -> None:
    stored = json.loads(MANIFEST.to_json())
    stored[field] = value
    with pytest.raises(CorruptIndexError, match=r"current\.json"):
        Manifest.from_json(json.dumps(stored).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe"])
def test_other_data_is_refused_as_a_manifest(data: bytes) -> None:
    with pytest.raises(CorruptIndexError, match="damaged"):
        Manifest.from_json(data)


def test_another_format_is_named() -> None:
    stored = json.loads(MANIFEST.to_json()) | {"format": 99}
    with pytest.raises(CorruptIndexError, match="format 99"):
        Manifest.from_json(json.dumps(stored).encode())


def test_ids_sort_by_age_and_differ() -> None:
    early, late = (datetime(2026, 11, day, tzinfo=UTC) for day in (9, 10))
    assert new_generation_id(early) < new_generation_id(late)
    assert new_generation_id(late) != new_generation_id(late)


def test_sources_survive_writing_and_reading_and_equal_ones_are_equal_bytes() -> None:
    sources = Sources(
        {"b/ü.jpg": "2", "a.jpg": "1"}, {"c\n.txt": Refusal("3", "no image"), "d": Refusal("", "storage")}
    )
    same = Sources(dict(sorted(sources.etags.items())), dict(reversed([*sources.refusals.items()])))
    assert Sources.from_bytes(sources.to_bytes(), "x") == sources
    assert sources.to_bytes() == same.to_bytes()
    assert [failure.passing for failure in sources.refusals.values()] == [False, True]


@pytest.mark.parametrize("damage", [b"", b"no gzip", Sources().to_bytes()[:-9]])
def test_damaged_sources_are_refused(damage: bytes) -> None:
    with pytest.raises(CorruptIndexError, match="my file"):
        Sources.from_bytes(damage, "my file")

"""A server that starts without a usable index, and one whose index changes or vanishes under it."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embeddings.index.history import release, rollback
from embeddings.rebuild import rebuild
from embeddings.storage.writers import open_writer
from tests.functions.conftest import IMAGE_BASE, MODEL, Service, serve, write_gallery
from tests.functions.http_client import Answer
from tests.photos import photo

RED = photo("#800000")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the cold server looks for its index; it does not exist yet."""
    return tmp_path_factory.mktemp("cold") / "secret-place"


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory, place: Path) -> Iterator[Service]:
    """A service without an index, which looks for one at every request."""
    log = tmp_path_factory.mktemp("cold-service") / "log"
    with serve(log, INDEX_URI=str(place), IMAGE_BASE_URL=IMAGE_BASE, REFRESH_SECONDS="0") as running:
        yield running


def put_index(place: Path, source: Path) -> Path:
    """Copy an index; return the folder of its only generation."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place)
    (generation,) = (place / "generations").iterdir()
    return generation


def change_pointer(place: Path, **values: object) -> None:
    path = place / "current.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def check_503(service: Service, place: Path, slug: str) -> Answer:
    found = [service.upload("/", RED), service.get("/random"), service.get("/v1/index"), service.get("/v1/random")]
    for answer in found:
        assert answer.problem == (503, slug)
        assert int(answer.header("Retry-After") or 0) > 0
        for private in ("secret-place", str(place), "generations/", "://"):
            assert private not in answer.body.decode()
    assert service.get("/healthz").json["status"] == "cold"
    record = service.records(found[0].header("X-Request-Id") or "")
    assert [(each["severity"], each["problem"]) for each in record] == [("ERROR", slug)]
    assert record[0]["error"]
    return found[0]


def test_no_index_yet(cold: Service, place: Path) -> None:
    assert "scripts/rebuild_embeddings.py" in check_503(cold, place, "index-missing").json["detail"]


def test_the_photo_is_looked_at_first(cold: Service) -> None:
    assert cold.upload("/", RED, field="wrong").problem == (400, "field-missing")
    assert cold.upload("/v1/search?k=0", RED).problem == (400, "parameter-invalid")


def test_corrupt_vectors(cold: Service, place: Path, index: Path) -> None:
    vectors = put_index(place, index) / "vectors.npy"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    assert "--full" in check_503(cold, place, "index-unusable").json["detail"]


def test_missing_keys(cold: Service, place: Path, index: Path) -> None:
    (put_index(place, index) / "keys.txt").unlink()
    check_503(cold, place, "index-unusable")


def put_model(place: Path, name: str) -> None:
    """Swap the index's model for another of tests/models, as a person might do by hand."""
    model = MODEL.with_name(name).read_bytes()
    sha256 = hashlib.sha256(model).hexdigest()
    (place / "models" / f"{sha256}.tflite").write_bytes(model)
    change_pointer(place, model={"sha256": sha256, "size": len(model)})


def test_another_models_dimension(cold: Service, place: Path, index: Path) -> None:
    put_index(place, index)
    put_model(place, "float32-12d.tflite")
    check_503(cold, place, "index-unusable")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 999}', b"\xff"])
def test_a_damaged_pointer(cold: Service, place: Path, index: Path, content: bytes) -> None:
    put_index(place, index)
    (place / "current.json").write_bytes(content)
    check_503(cold, place, "index-unusable")


def test_a_model_that_answers_nan(cold: Service, place: Path, index: Path) -> None:
    put_index(place, index)
    put_model(place, "nan.tflite")
    assert cold.upload("/", RED).problem == (503, "model-unusable")
    assert cold.get("/random").status == 200


def test_the_first_index_is_served_without_a_restart(cold: Service, place: Path, gallery: Path) -> None:
    """This test and those below continue from one another."""
    shutil.rmtree(place)
    rebuild(str(gallery), str(place), model=MODEL)
    assert len(cold.upload("/", RED).json) == 16
    assert cold.get("/v1/index").json["stale"] is False


def test_a_new_generation_is_taken(cold: Service, place: Path, tmp_path: Path, photos: dict[str, bytes]) -> None:
    before = cold.get("/v1/index").json["generation"]
    gallery = write_gallery(tmp_path, {**photos, "new/garment.jpg": photo("#123456")})
    rebuild(str(gallery), str(place))
    answer = cold.upload("/v1/search?k=1", photo("#123456"))
    assert answer.keys == ["new/garment.jpg"]
    assert answer.json["index"]["generation"] == cold.get("/healthz").json["generation"] > before


def test_the_old_generation_is_kept_while_storage_fails(cold: Service, place: Path) -> None:
    before = cold.get("/v1/index").json
    away = place.rename(place.with_name("away"))
    assert cold.upload("/v1/search?k=1", photo("#123456")).keys == ["new/garment.jpg"]
    assert cold.get("/healthz").json["status"] == "stale"
    assert cold.get("/v1/index").json == {**before, "stale": True}
    assert cold.records()[-1]["severity"] == "INFO"
    assert any(each["severity"] == "WARNING" and "keeping generation" in each["message"] for each in cold.records())
    away.rename(place)
    assert cold.get("/v1/index").json == before
    assert cold.get("/healthz").json["status"] == "ok"


def test_a_broken_new_generation_is_not_taken(cold: Service, place: Path, tmp_path: Path) -> None:
    pointer = (place / "current.json").read_bytes()
    change_pointer(place, generation="20261123T000000000000Z-00000000")
    assert cold.upload("/v1/search?k=1", photo("#123456")).keys == ["new/garment.jpg"]
    assert cold.get("/v1/index").json["stale"] is True
    (place / "current.json").write_bytes(pointer)
    assert cold.get("/v1/index").json["stale"] is False


def test_a_rollback_shows(cold: Service, place: Path) -> None:
    now = cold.get("/v1/index").json
    past = rollback(open_writer(str(place)))
    held = cold.get("/v1/index").json
    assert (held["generation"], held["held"]) == (past.generation, True)
    assert held["generation"] < now["generation"]
    release(open_writer(str(place)))
    assert cold.get("/v1/index").json == {**held, "held": False}


def test_an_empty_gallery(cold: Service, place: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    rebuild(str(tmp_path / "empty"), str(place))
    assert cold.upload("/", RED).json == []
    assert cold.upload("/v1/search", RED).json["results"] == []
    assert cold.get("/random").problem == cold.get("/v1/random").problem == (404, "gallery-empty")
    assert cold.get("/v1/similar?key=coats/0.jpg").problem == (404, "key-unknown")
    assert cold.get("/v1/index").json["count"] == 0


def test_nothing_of_storage_is_touched_before_the_server_forks(cold: Service) -> None:
    """The reader's threads would not survive the fork; the worker fetches the index before the first request."""

    def threads(pid: int | str) -> set[str]:
        return {(task / "comm").read_text().strip() for task in Path(f"/proc/{pid}/task").iterdir()}

    children = Path(f"/proc/{cold.pid}/task/{cold.pid}/children").read_text().split()
    assert children, "the server has no worker"
    assert not any(name.startswith("tokio") for name in threads(cold.pid))
    assert any(name.startswith("tokio") for name in threads(children[0]))

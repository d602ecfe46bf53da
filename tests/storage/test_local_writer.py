"""What only a local folder has: links, permissions, unfinished writes."""

import fcntl
import os
import stat
import threading
from functools import partial
from pathlib import Path

import pytest

from embeddings.errors import NotFoundError, StorageError
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer
from embeddings.storage.writers.local import LocalWriter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def keys(root: Path) -> list[str]:
    return sorted(info.key for info in open_writer(str(root)).list())


def test_a_missing_folder_cannot_be_listed_and_the_first_write_creates_it(root: Path) -> None:
    writer = open_writer(str(root))
    with pytest.raises(StorageError, match="no such folder"):
        list(writer.list())
    with pytest.raises(NotFoundError):
        writer.get("a")
    writer.delete(["a"])
    assert not root.exists()
    writer.put("a", b"")
    assert keys(root) == ["a"]


def test_reserved_files_are_not_objects(root: Path) -> None:
    writer = open_writer(str(root))
    writer.put("a/b", b"")
    (root / "a" / ".garment-search-0123456789abcdef").touch()  # left behind by a killed process
    assert any(path.name.startswith(".garment-search-") for path in root.iterdir())
    assert keys(root) == ["a/b"]
    with pytest.raises(StorageError, match="reserved"):
        writer.get(".garment-search-lock")
    with pytest.raises(StorageError, match="reserved"):
        writer.put("a/.garment-search-x", b"")


def test_a_failed_write_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(str(root))
    writer.put("a", b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        writer.put("a", b"after")
    assert writer.get("a").data == b"before"
    assert [path.name for path in root.iterdir() if path.name != ".garment-search-lock"] == ["a"]


def test_files_have_ordinary_permissions(root: Path) -> None:
    open_writer(str(root)).put("a", b"")
    (root / "by hand").touch()
    assert stat.S_IMODE((root / "a").stat().st_mode) == stat.S_IMODE((root / "by hand").stat().st_mode)


def test_deleting_removes_folders_that_become_empty(root: Path) -> None:
    writer = open_writer(str(root))
    for key in ("a/b/c/1", "a/b/c/2", "a/3"):
        writer.put(key, b"")
    writer.delete(["a/b/c/1"])
    assert (root / "a/b/c").is_dir()
    writer.delete(["a/b/c/2"])
    assert sorted(path.name for path in (root / "a").iterdir()) == ["3"]
    writer.delete(["a/3"])
    assert root.is_dir()
    assert not (root / "a").exists()


def test_a_file_in_the_way(root: Path) -> None:
    writer = open_writer(str(root))
    writer.put("a", b"")
    writer.put("b/c", b"")
    with pytest.raises(StorageError, match="a file where a folder must be"):
        writer.put("a/b", b"")
    with pytest.raises(StorageError, match="a folder where a file must be"):
        writer.put("b", b"")
    assert keys(root) == ["a", "b/c"]


def test_a_write_waits_for_another_process(root: Path) -> None:
    writer = open_writer(str(root))
    writer.put("a", b"1")
    version = writer.get("a").version
    write = threading.Thread(
        target=partial(writer.compare_and_set, "a", b"2", version, content_type="", cache_control="")
    )
    with (root / ".garment-search-lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write.start()
        write.join(0.2)
        assert write.is_alive()
        assert writer.get("a").data == b"1"
    write.join(5)
    assert writer.get("a").data == b"2"


def test_versions_rise_even_if_the_clock_stands_still(root: Path) -> None:
    writer = open_writer(str(root))
    writer.put("a", b"1")
    future = (root / "a").stat().st_mtime_ns + 10**12
    os.utime(root / "a", ns=(future, future))
    reader = open_reader(str(root))
    seen, read = writer.get("a").version, reader.get("a")
    writer.put("a", b"2")
    assert writer.get("a").version != seen
    assert (root / "a").stat().st_mtime_ns > future
    assert reader.get_if_changed("a", read.etag) is not None


def test_reading_follows_links(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").write_bytes(b"photo")
    root.mkdir()
    (root / "linked").symlink_to(outside)
    (root / "file").symlink_to(outside / "photo")
    (root / "nowhere").symlink_to(outside / "missing")
    (outside / "loop").symlink_to(root)
    assert keys(root) == ["file", "linked/photo"]
    writer, reader = open_writer(str(root)), open_reader(str(root))
    for key in ("file", "linked/photo"):
        assert writer.get(key).data == reader.get(key).data == b"photo"
        assert writer.stat(key).size == 5


def test_writing_does_not_follow_links_that_lead_out(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").write_bytes(b"photo")
    root.mkdir()
    (root / "linked").symlink_to(outside)
    (root / "file").symlink_to(outside / "photo")
    writer = open_writer(str(root))
    with pytest.raises(StorageError, match="leads out"):
        writer.put("linked/new/photo", b"")
    with pytest.raises(StorageError, match="leads out"):
        writer.compare_and_set("linked/new", b"", None, content_type="", cache_control="")
    with pytest.raises(StorageError, match="leads out"):
        writer.delete(["linked/photo"])
    writer.put("file", b"replaces the link")
    assert [path.name for path in outside.iterdir()] == ["photo"]
    assert (outside / "photo").read_bytes() == b"photo"
    assert not (root / "file").is_symlink()


def test_a_folder_reached_through_a_link_is_written(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    open_writer(str(tmp_path / "link")).put("a/b", b"")
    assert keys(root) == ["a/b"]


def test_only_regular_files_are_objects(root: Path) -> None:
    root.mkdir()
    os.mkfifo(root / "pipe")
    assert keys(root) == []
    with pytest.raises(NotFoundError):
        open_writer(str(root)).stat("pipe")


def test_an_unreadable_folder_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(str(root))
    writer.put("a/b", b"")
    scandir = os.scandir

    def guarded(path: Path) -> object:  # chmod does not stop root
        if path.name == "a":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(StorageError, match="root/a: access denied"):
        list(writer.list())


def test_a_name_that_is_not_unicode_is_listed(root: Path) -> None:
    root.mkdir()
    with open(os.fsencode(root) + b"/\xff.jpg", "wb"):
        pass
    assert keys(root) == ["\udcff.jpg"]


def test_a_path_opens_a_local_writer(root: Path) -> None:
    assert isinstance(open_writer(f"file://{root}"), LocalWriter)

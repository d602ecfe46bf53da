"""Writing to a local folder, with the guarantees that a bucket gives.

Reading follows symbolic links wherever they lead: people assemble galleries from links, and whoever can make a link
there can copy a file as well. Writing and deleting never go through a linked folder that leads out, and replace or
remove a link to a file instead of following it.
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from embeddings.errors import ConflictError, NotFoundError, StorageError
from embeddings.storage.keys import checked
from embeddings.storage.objects import ObjectInfo, Versioned
from embeddings.storage.uri import StorageUri

_RESERVED = ".garment-search-"
"""Begins the names of the lock and of unfinished writes, which are not objects."""
_LOCK = f"{_RESERVED}lock"
_TICK_NS = 1000
"""The time resolution of obstore's ETags, which readers compare."""


class LocalWriter:
    """A `Writer` on a folder, which the first write creates. A version is an ETag."""

    def __init__(self, uri: StorageUri) -> None:
        """Touch nothing yet."""
        self._root = Path(uri.prefix)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield all files whose key starts with `prefix`.

        Raises:
            NotFoundError: the folder is missing. StorageError: a part of it cannot be read.
        """
        if not self._root.is_dir():
            raise NotFoundError(f"{self._root}: there is no such folder; correct the path or create it")
        folder = prefix.rpartition("/")[0]
        start = self._root / checked(folder) if folder else self._root
        with self._explained(prefix):
            if start.is_dir():
                yield from self._walk(start, f"{folder}/" if folder else "", prefix, frozenset())

    def stat(self, key: str) -> ObjectInfo:
        """Return one file's listing entry."""
        path = self._path(key)
        with self._explained(key):
            found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise NotFoundError(f"{path}: there is no such file")
        return _info(key, found)

    def get(self, key: str) -> Versioned:
        """Read a whole file."""
        path = self._path(key)
        with self._explained(key), path.open("rb") as file:
            version = _etag(os.fstat(file.fileno()))
            return Versioned(file.read(), version)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002
        cache_control: str | None = None,  # noqa: ARG002
    ) -> None:
        """Write unconditionally. A file keeps neither content type nor cache control."""
        self._write(key, data)

    def compare_and_set(
        self,
        key: str,
        data: bytes,
        version: str | None,
        *,
        content_type: str,  # noqa: ARG002
        cache_control: str,  # noqa: ARG002
    ) -> None:
        """Write if the file is still at `version`, under the folder's lock."""
        self._write(key, data, condition=(version,))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files, and the folders that become empty."""
        for key in keys:
            path = self._path(key, writing=True)
            if not self._root.is_dir():
                continue
            with self._explained(key), self._locked():
                with suppress(FileNotFoundError, NotADirectoryError):
                    path.unlink()
                for parent in path.parents:
                    if parent == self._root:
                        break
                    try:
                        parent.rmdir()
                    except FileNotFoundError:
                        continue
                    except OSError:  # not empty
                        break

    def _walk(self, folder: Path, base: str, prefix: str, above: frozenset[tuple[int, int]]) -> Iterator[ObjectInfo]:
        found = folder.stat()
        identity = (found.st_dev, found.st_ino)
        if identity in above:  # a link to a folder above
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                key = base + entry.name
                if entry.name.startswith(_RESERVED) or not (key.startswith(prefix) or prefix.startswith(f"{key}/")):
                    continue
                if entry.is_dir():
                    yield from self._walk(Path(entry.path), f"{key}/", prefix, above | {identity})
                else:
                    with suppress(FileNotFoundError):  # deleted meanwhile, or a broken link
                        status = entry.stat()
                        if stat.S_ISREG(status.st_mode):
                            yield _info(key, status)

    def _write(self, key: str, data: bytes, condition: tuple[str | None] | None = None) -> None:
        path = self._path(key, writing=True)
        temporary = path.with_name(f"{_RESERVED}{secrets.token_hex(8)}")
        with self._explained(key, writing=True):
            self._root.mkdir(parents=True, exist_ok=True)
            with self._locked():  # so that no `delete` removes the folder while it is still empty
                path.parent.mkdir(parents=True, exist_ok=True)
                # Not tempfile: only the owner could read its files, and a web server may serve these.
                file = temporary.open("xb")
            try:
                with file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                with self._locked():
                    self._replace(path, temporary, condition)
            finally:
                temporary.unlink(missing_ok=True)

    def _replace(self, path: Path, temporary: Path, condition: tuple[str | None] | None) -> None:
        try:
            before: os.stat_result | None = path.stat()
        except FileNotFoundError:
            before = None
        if condition is not None and condition[0] != (before and _etag(before)):
            raise ConflictError(f"{path}: somebody else has written it in the meantime; read it again and retry")
        if before is not None and temporary.stat().st_mtime_ns < before.st_mtime_ns + _TICK_NS:
            # The clock of a file system ticks every few milliseconds: two quick writes could have the same ETag.
            later = before.st_mtime_ns + _TICK_NS
            os.utime(temporary, ns=(later, later))
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, key: str, *, writing: bool = False) -> Path:
        path = self._root / checked(key)
        if any(segment.startswith(_RESERVED) for segment in key.split("/")):
            raise StorageError(f"{path}: names that begin with {_RESERVED!r} are reserved; rename the file")
        if writing and not path.parent.resolve().is_relative_to(self._root):
            raise StorageError(f"{path}: a link leads out of {self._root}, and nothing is written through it")
        return path

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._root / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # holds between threads too, as each opens the file for itself
            yield

    @contextmanager
    def _explained(self, key: str, *, writing: bool = False) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            if writing:
                raise StorageError(
                    f"{self._root / key}: there is a file where a folder must be, or a folder where a file must be"
                ) from error
            raise NotFoundError(f"{self._root / key}: there is no such file") from error
        except PermissionError as error:
            raise StorageError(f"{error.filename}: access denied; check the permissions of file and folder") from error
        except OSError as error:
            raise StorageError(f"{self._root / key}: {error.strerror or error}") from error


def _etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, _etag(found), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

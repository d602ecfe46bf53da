"""What the shards of a run leave in the index, until a merge publishes it: the files under `runs/<run>/`."""

import json
import logging
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace

from embeddings.errors import ConflictError, GalleryIndexError, GarmentSearchError, NotFoundError, StorageError
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.rebuild.checkpoint import Checkpoint
from embeddings.rebuild.results import Results, from_bytes, to_bytes
from embeddings.rebuild.shard import Shard
from embeddings.storage.objects import ObjectInfo, Writer

RECORD = "run.json"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_READERS = 8
_NAMED = 10  # of shards that are missing
_log = logging.getLogger(__name__)


def run_problem(run: str) -> str | None:
    """Why `run` cannot be the id of a run; None when it can."""
    if _RUN.fullmatch(run):
        return None
    return f"{run!r} is no run id; give up to 64 letters, digits, '.', '_' and '-', such as first-2026-11"


@dataclass(frozen=True)
class _Record:
    """What all shards of a run have in common: the first one writes it, the others must be like it."""

    shards: int
    model: str
    """Its sha256."""
    preprocess: int
    merged: bool = False
    """And the parts are gone."""
    prefix: str = ""
    """The folder it looks at; a merge of another would publish some of the parts, and delete them all."""


class Parts:
    """Of one run, for one of its shards or for their merge."""

    def __init__(self, index: Writer, run: str, shard: Shard | None, prefix: str = "") -> None:
        """Touch nothing yet.

        Raises:
            GalleryIndexError: not the id of a run.
        """
        if problem := run_problem(run):
            raise GalleryIndexError(problem)
        self._index = index
        self._run = run
        self._shard = shard
        self._prefix = prefix
        self._place = f"runs/{run}/"
        self._merged_before = False
        self._begun = False

    def look(self) -> None:
        """To be called before the index's pointer is read: what a merge had published by then, the pointer says.

        Raises:
            GalleryIndexError, StorageError.
        """
        record = self._record()
        self._begun = record is not None
        self._merged_before = record is not None and record.merged

    def refuse(self) -> None:
        """To be called after `look` where a vector index takes what shards embed: nobody would take their parts.

        Raises:
            GalleryIndexError: there are some.
        """
        if self._begun and not self._merged_before:
            raise GalleryIndexError(
                f"shards of run {self._run} were started without the vector bucket, so it has nothing of them: "
                "give --vector-bucket to all of a run or to none, or take another run id"
            )

    def open(self, model_sha256: str) -> Checkpoint:
        """A checkpoint that knows what is done: for a shard its own, for the merge what all shards have done.

        Raises:
            GalleryIndexError: the run is of another model, folder or number of shards; for a shard: it is merged
                already; for the merge: there is no such run, or a shard is missing or damaged.
            ConflictError: somebody else has merged it since `look`.
            StorageError: storage failed.
        """
        if self._shard is None:
            return Checkpoint(self._index, model_sha256, known=self._collected(model_sha256))
        self._join(_Record(self._shard.count, model_sha256, PREPROCESS_VERSION, prefix=self._prefix))
        try:
            known = self._read(self._shard, model_sha256)
        except (NotFoundError, _UnfitError):
            known = {}
        folder = f"{self._place}{_name(self._shard)}/"
        return Checkpoint(self._index, model_sha256, folder, known)

    def write(self, checkpoint: Checkpoint, objects: Iterable[ObjectInfo]) -> None:
        """Write this shard's part, whole or not at all: what the checkpoint knows of these objects."""
        if self._shard is None:
            raise ValueError("the merge has no part of its own")
        results: Results = {}
        for each in objects:
            result = checkpoint.find(each.key, each.etag)
            if result is not None:
                results[each.key] = (each.etag, result)
        about = self._about(self._shard, checkpoint.model_sha256)
        self._index.put(self._path(self._shard), to_bytes(results, about))

    def close(self) -> None:
        """After the merge: note that it is done, for one who merges again, and delete the rest."""
        record = self._record()
        if record is not None:
            self._put(replace(record, merged=True))
        self._index.delete([each.key for each in self._index.list(self._place) if each.key != self._place + RECORD])

    def _join(self, mine: _Record) -> None:
        record = self._record()
        if record is None:
            record = self._created(mine)
        if record.merged:
            raise GalleryIndexError(f"run {self._run} is merged already, so take another run id")
        if record.shards != mine.shards:
            raise GalleryIndexError(
                f"run {self._run} has {record.shards} shards, not {mine.shards}: give one of 1/{record.shards} to "
                f"{record.shards}/{record.shards}, or take another run id"
            )
        self._require(record, mine.model)

    def _created(self, mine: _Record) -> _Record:
        try:
            self._put(mine, absent=True)
        except StorageError:  # another shard was first, or the answer got lost
            record = self._record()
            if record is None:
                raise
            return record
        return mine

    def _require(self, record: _Record, model_sha256: str) -> None:
        if record.preprocess != PREPROCESS_VERSION:
            raise GalleryIndexError(
                f"run {self._run} is of version {record.preprocess} of the preprocessing, this is version "
                f"{PREPROCESS_VERSION}: use the same version of this program on all machines, or take another run id"
            )
        if record.model != model_sha256:
            raise GalleryIndexError(
                f"run {self._run} embeds with the model {record.model[:16]}..., and this would be "
                f"{model_sha256[:16]}...: give the same --model to all shards and to the merge, or take another run id"
            )
        if record.prefix != self._prefix:
            raise GalleryIndexError(
                f"run {self._run} looks at {_folder(record.prefix)}, and this would at {_folder(self._prefix)}: give "
                "the same --prefix to all shards and to the merge, or take another run id"
            )

    def _collected(self, model_sha256: str) -> Results:
        record = self._record()
        if record is None:
            raise GalleryIndexError(f"there is no run {self._run} in this index: no shard of it has begun")
        self._require(record, model_sha256)
        if self._merged_before:
            return {}
        shards = [Shard(number, record.shards) for number in range(1, record.shards + 1)]
        results: Results = {}
        lacking = []
        with ThreadPoolExecutor(_READERS, thread_name_prefix="part") as pool:
            reads = [pool.submit(self._read, shard, model_sha256) for shard in shards]
            for shard, read in zip(shards, reads, strict=True):
                try:
                    results.update(read.result())
                except NotFoundError:
                    lacking.append((shard, "missing"))
                except _UnfitError as error:
                    lacking.append((shard, str(error)))
        if lacking:
            raise self._incomplete(lacking)
        return results

    def _incomplete(self, lacking: list[tuple[Shard, str]]) -> GarmentSearchError:
        record = self._record()
        if record is not None and record.merged:
            return ConflictError(f"another merge has published run {self._run}")
        named = ", ".join(f"{shard} {why}" for shard, why in lacking[:_NAMED])
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        shard = lacking[0][0]
        return GalleryIndexError(
            f"run {self._run} is not complete, nothing was published: {named}{more}. For each, run this command with "
            f"--shard {shard} --run {self._run} in place of --merge {self._run}; then merge again"
        )

    def _read(self, shard: Shard, model_sha256: str) -> Results:
        """Raises NotFoundError, or _UnfitError with the reason in a few words."""
        data = self._index.get(self._path(shard)).data
        try:
            results, about = from_bytes(data)
        except Exception as error:
            _log.warning("%s is damaged: %r", self._path(shard), error)
            raise _UnfitError("damaged") from error
        if about != self._about(shard, model_sha256):
            raise _UnfitError("of another run")
        return results

    def _about(self, shard: Shard, model_sha256: str) -> dict[str, object]:
        return {
            "run": self._run,
            "shard": str(shard),
            "model": model_sha256,
            "preprocess": PREPROCESS_VERSION,
        }

    def _path(self, shard: Shard) -> str:
        return f"{self._place}{_name(shard)}.npz"

    def _record(self) -> _Record | None:
        try:
            data = self._index.get(self._place + RECORD).data
        except NotFoundError:
            return None
        try:
            record = _Record(**json.loads(data))
            Shard.parse(f"1/{record.shards}")
            if [type(each) for each in astuple(record)] != [int, str, int, bool, str]:
                raise ValueError("its values are of other types")
        except (TypeError, ValueError, RecursionError) as error:
            raise GalleryIndexError(
                f"{self._place}{RECORD} of the index is damaged ({error!r}): take another run id"
            ) from error
        return record

    def _put(self, record: _Record, *, absent: bool = False) -> None:
        path, data = self._place + RECORD, json.dumps(asdict(record), indent=1).encode()
        if absent:
            self._index.compare_and_set(path, data, None, content_type="application/json", cache_control="no-store")
        else:
            self._index.put(path, data, content_type="application/json")


class _UnfitError(Exception):
    """A part that the merge cannot take."""


def _folder(prefix: str) -> str:
    return f"the folder {prefix}" if prefix else "the whole gallery"


def _name(shard: Shard) -> str:
    return f"{shard.number}-of-{shard.count}"

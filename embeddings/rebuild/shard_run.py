"""A shard run: what its shards leave in the index, under `runs/<run>/`, until a merge publishes it."""

import json
import logging
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass, replace

from embeddings.embedder import Embedder
from embeddings.errors import ConflictError, GalleryIndexError, GarmentSearchError, NotFoundError, StorageError
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.rebuild.checkpoint import Checkpoint, Results, from_bytes, to_bytes
from embeddings.rebuild.shard import Shard
from embeddings.storage.objects import ObjectInfo, Writer

RECORD = "run.json"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_READERS = 8
_NAMED = 10  # missing shards that an error lists by number
_log = logging.getLogger(__name__)


def run_problem(run: str) -> str | None:
    """Say why `run` cannot be the id of a run, or return None if it can."""
    if _RUN.fullmatch(run):
        return None
    return f"{run!r} is not a run id; give up to 64 letters, digits, '.', '_' and '-', such as first-2026-11"


@dataclass(frozen=True)
class _Record:
    """The terms that all shards of a run share. The first shard writes them, and the others must agree."""

    shards: int
    model: str
    """The model's sha256."""
    preprocess: int
    merged: bool = False
    """Whether a merge has published the run and deleted the parts."""
    prefix: str = ""
    """The folder of the gallery. A merge of another folder would publish some of the parts and delete all of them."""


class _UnfitError(Exception):
    """A part that cannot be used, with the reason in a few words."""


class _ShardRun:
    """The files of one run: its record, and a part for each shard."""

    def __init__(self, index: Writer, run: str, prefix: str) -> None:
        """Touch nothing yet.

        Args:
            index: storage of the index.
            run: the run's id.
            prefix: the folder of the gallery that the run looks at; "" for all of it.

        Raises:
            GalleryIndexError: `run` is not a run id.
        """
        if problem := run_problem(run):
            raise GalleryIndexError(problem)
        self._index = index
        self._run = run
        self._prefix = prefix
        self._folder = f"runs/{run}/"
        self._merged_before = False
        self._begun = False

    def look(self) -> None:
        """Read the record, before the caller reads the index's pointer: a merge done by now shows in the pointer.

        Raises:
            GalleryIndexError: the record is damaged. StorageError: storage failed.
        """
        record = self._record()
        self._begun = record is not None
        self._merged_before = record is not None and record.merged

    def refuse_parts(self) -> None:
        """After `look`, stop a run that has parts from going on in S3 Vectors, where no merge would take them.

        Raises:
            GalleryIndexError: there are parts.
        """
        if self._begun and not self._merged_before:
            raise GalleryIndexError(
                f"run {self._run} was started without a vector bucket: give --vector-bucket to all of its shards and "
                "the merge, or to none of them, or take another run id"
            )

    def _require(self, record: _Record, model_sha256: str) -> None:
        if record.preprocess != PREPROCESS_VERSION:
            raise GalleryIndexError(
                f"run {self._run} uses version {record.preprocess} of the preprocessing, this program version "
                f"{PREPROCESS_VERSION}: use the same version of the program on all machines, or take another run id"
            )
        if record.model != model_sha256:
            raise GalleryIndexError(
                f"run {self._run} uses the model {record.model[:16]}..., this command {model_sha256[:16]}...: give "
                "the same --model to all shards and to the merge, or take another run id"
            )
        if record.prefix != self._prefix:
            raise GalleryIndexError(
                f"run {self._run} covers {_named(record.prefix)}, this command {_named(self._prefix)}: give "
                "the same --prefix to all shards and to the merge, or take another run id"
            )

    def _read(self, shard: Shard, model_sha256: str) -> Results:
        """Read a shard's part. Raises NotFoundError or _UnfitError."""
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
        return f"{self._folder}{_file_name(shard)}.npz"

    def _record(self) -> _Record | None:
        try:
            data = self._index.get(self._folder + RECORD).data
        except NotFoundError:
            return None
        try:
            record = _Record(**json.loads(data))
            Shard.parse(f"1/{record.shards}")
            if [type(each) for each in astuple(record)] != [int, str, int, bool, str]:
                raise ValueError("its values have the wrong types")
        except (TypeError, ValueError, RecursionError) as error:
            raise GalleryIndexError(
                f"{self._folder}{RECORD} of the index is damaged ({error!r}): take another run id"
            ) from error
        return record


class ShardPart(_ShardRun):
    """One shard's side: it joins the run, and leaves a part."""

    def __init__(self, index: Writer, run: str, shard: Shard, prefix: str) -> None:
        """Touch nothing yet; see `_ShardRun`."""
        super().__init__(index, run, prefix)
        self._shard = shard

    def open(self, embedder: Embedder) -> Checkpoint:
        """Join the run, and open the shard's own checkpoint, which knows what an earlier part holds.

        Raises:
            GalleryIndexError: the run has another model, folder or number of shards, or is merged already.
            StorageError: storage failed.
        """
        self._join(_Record(self._shard.count, embedder.sha256, PREPROCESS_VERSION, prefix=self._prefix))
        try:
            known = self._read(self._shard, embedder.sha256)
        except (NotFoundError, _UnfitError):
            known = {}
        return Checkpoint(self._index, embedder, f"{self._folder}{_file_name(self._shard)}/", known)

    def write(self, checkpoint: Checkpoint, photos: Iterable[ObjectInfo]) -> None:
        """Write the part, whole or not at all: what the checkpoint knows of these photos."""
        results: Results = {}
        for each in photos:
            result = checkpoint.find(each.key, each.etag)
            if result is not None:
                results[each.key] = (each.etag, result)
        about = self._about(self._shard, checkpoint.model_sha256)
        self._index.put(self._path(self._shard), to_bytes(results, about))

    def _join(self, mine: _Record) -> None:
        record = self._record()
        if record is None:
            record = self._created(mine)
        if record.merged:
            raise GalleryIndexError(f"run {self._run} is merged already; take another run id")
        if record.shards != mine.shards:
            raise GalleryIndexError(
                f"run {self._run} has {record.shards} shards, not {mine.shards}: give one of 1/{record.shards} to "
                f"{record.shards}/{record.shards}, or take another run id"
            )
        self._require(record, mine.model)

    def _created(self, mine: _Record) -> _Record:
        path, data = self._folder + RECORD, _to_json(mine)
        try:
            self._index.compare_and_set(path, data, None, content_type="application/json", cache_control="no-store")
        except StorageError:  # another shard was first, or the answer got lost
            record = self._record()
            if record is None:
                raise
            return record
        return mine


class ShardMerge(_ShardRun):
    """The merge's side: it collects the parts, and deletes them once their results are published."""

    def open(self, embedder: Embedder) -> Checkpoint:
        """Open a checkpoint that knows what all shards have done.

        Raises:
            GalleryIndexError: there is no such run, it has another model or folder, or a part is missing or damaged.
            ConflictError: somebody else has merged the run since `look`.
            StorageError: storage failed.
        """
        return Checkpoint(self._index, embedder, known=self._collected(embedder.sha256))

    def close(self) -> None:
        """Note in the record that the run is merged, so that a second merge finds nothing to do; delete the rest."""
        record = self._record()
        if record is not None:
            merged = _to_json(replace(record, merged=True))
            self._index.put(self._folder + RECORD, merged, content_type="application/json")
        self._index.delete([each.key for each in self._index.list(self._folder) if each.key != self._folder + RECORD])

    def _collected(self, model_sha256: str) -> Results:
        record = self._record()
        if record is None:
            raise GalleryIndexError(f"there is no run {self._run} in this index: start its shards first")
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
            f"run {self._run} is not complete, so nothing was published: {named}{more}. For each, run this command "
            f"with --shard {shard} --run {self._run} in place of --merge {self._run}; then merge again"
        )


def _to_json(record: _Record) -> bytes:
    return json.dumps(asdict(record), indent=1).encode()


def _named(prefix: str) -> str:
    return f"the folder {prefix}" if prefix else "the whole gallery"


def _file_name(shard: Shard) -> str:
    return f"{shard.number}-of-{shard.count}"

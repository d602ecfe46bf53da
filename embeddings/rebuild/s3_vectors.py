"""The rebuild of an index whose vectors lie in a vector index.

What is indexed is asked of the vector index itself, which has each photo's ETag beside its vector: whatever a run that
was killed, or that lost against another, has left there, the next one sees. Changes are put and deleted in place, so a
reader sees at least what its generation says. Another model's vectors go into another vector index, and the pointer to
it only when it is full. Photos that cannot be read leave nothing there; a checkpoint has them until they are published.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, GarmentSearchError, NotFoundError
from embeddings.folder_counts import MOST_FOLDERS, top_folders
from embeddings.index.history import clean, vector_indexes
from embeddings.index.manifest import Manifest
from embeddings.index.publish import Pointer, S3VectorsContent, publish
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.rebuild.checkpoint import GRAIN, GRAIN_SECONDS, Checkpoint
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.pipeline import embed_all
from embeddings.rebuild.plan import Plan, make_plan
from embeddings.rebuild.refusals import refuse_emptied
from embeddings.rebuild.scope import Scope, split
from embeddings.rebuild.summary import Outcome, Summary, summarize
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.metadata import metadata_problem
from embeddings.s3_vectors.writer import Embedded, S3VectorsWriter
from embeddings.storage.objects import ObjectInfo
from embeddings.storage.uri import StorageUri

if TYPE_CHECKING:
    from embeddings.rebuild.run import _Run

_log = logging.getLogger(__name__)


@dataclass
class VectorRebuild:
    """One attempt."""

    run: "_Run"
    past: LastGeneration
    current: Pointer
    bucket: str
    _checkpoint: Checkpoint | None = None
    _unwritten: dict[str, Embedded] = field(default_factory=dict)
    _written_at: float = field(default_factory=time.monotonic)

    def attempt(self, scope: Scope) -> Summary:
        """List, compare, embed, put, delete, publish. Raises ConflictError if somebody else published meanwhile."""
        run, past = self.run, self.past
        goes_on = past.made_by(run.chosen) and past.vector_bucket == self.bucket
        embedder = None if goes_on else run.chosen or past.embedder()
        writer = S3VectorsWriter(self._place(embedder))
        # In this order: what another run puts from now on is not in it, so it cannot be taken for a photo that is gone.
        there = self._there(writer, scope, goes_on=goes_on)
        listing = scope.list(run.gallery, run.limits, metadata_problem)
        refusals = past.sources.refusals if goes_on else {}
        if run.full:
            refusals = {key: refusal for key, refusal in refusals.items() if key not in scope}
        plan = make_plan(Sources(self._reusable(scope, there), refusals), scope, listing)
        if run.dry_run:
            planned = plan.keep | {each.key: each.etag for each in plan.embed}
            return self._summary(Outcome.DRY_RUN, scope, there, Sources(planned, plan.refusals), past.manifest)

        after = Sources(plan.keep, plan.refusals)
        if plan.embed or not goes_on:
            embedder = embedder or past.embedder()
            if not goes_on or run.full:
                writer.create(embedder.dimension)
            after = self._fill(plan, there, embedder, writer)
            if run.remaining:
                return self._summary(Outcome.UNFINISHED, scope, there, after, past.manifest)
        if scope.shard is not None:  # nothing is deleted: the merge, which looks at everything, does that
            return self._summary(Outcome.SHARD_DONE, scope, there, after, past.manifest)
        count, folders = self._counts(scope, there, after, goes_on=goes_on)
        before = max(len(there), past.manifest.count if past.manifest else 0)
        refuse_emptied(before, count, split(after, scope, inside=True).refusals, may_empty=run.may_empty)
        if goes_on and not run.full and self._says(count, folders, after, there):
            return self._summary(Outcome.UNCHANGED, scope, there, after, past.manifest)
        writer.delete(there.keys() - after.etags.keys())
        embedder = embedder or past.embedder()
        content = S3VectorsContent(
            writer.index, embedder.dimension, count, folders, Sources({}, after.refusals), embedder.content
        )
        published = publish(run.index, content, self.current, with_model=run.full or not goes_on)
        self._tidy(writer, whole=scope.whole)
        return self._summary(Outcome.PUBLISHED, scope, there, after, published)

    def _there(self, writer: S3VectorsWriter, scope: Scope, *, goes_on: bool) -> dict[str, str]:
        """ETags of what is indexed, by key, as far as the scope reaches."""
        try:
            return writer.etags(scope.keys, scope.__contains__)
        except NotFoundError as error:
            if goes_on and not (self.run.full and scope.whole):
                raise CorruptIndexError(f"{error}; make it anew with --full") from error
            return {}

    def _reusable(self, scope: Scope, there: Mapping[str, str]) -> Mapping[str, str]:
        """What of it need not be put again: with `full` what this run, or its shards, have put anew."""
        run = self.run
        if not run.full or (run.parts is not None and scope.shard is None):
            return there
        return {key: etag for key, etag in there.items() if run.put_anew.get(key) == etag}

    def _place(self, embedder: Embedder | None) -> VectorIndexName:
        """The current generation's, or for another embedder one that each attempt to fill it finds again."""
        if embedder is None:
            assert self.past.manifest is not None, "it goes on"  # noqa: S101
            assert self.past.manifest.vector_index is not None, "in its vector index"  # noqa: S101
            return self.past.manifest.vector_index
        return VectorIndexName(self.bucket, f"{self._family}{embedder.sha256[:16]}-{PREPROCESS_VERSION}")

    @property
    def _family(self) -> str:
        """What the names of this index's vector indexes begin with; other indexes may have theirs in the bucket."""
        uri = StorageUri.parse(self.run.index_uri)
        place = f"{uri.scheme}://{uri.bucket}/{uri.prefix}"
        return f"garments-{hashlib.sha256(place.encode()).hexdigest()[:12]}-"

    def _fill(self, plan: Plan, there: Mapping[str, str], embedder: Embedder, writer: S3VectorsWriter) -> Sources:
        """Put what is new, batch by batch; `run.remaining` says how many photos are missing."""
        run = self.run
        etags, refusals = dict(plan.keep), dict(plan.refusals)
        todo = self._move(plan.embed, etags, writer)
        moved = len(etags) - len(plan.keep)
        run.remaining = len(plan.embed) - moved
        run.progress(moved, len(plan.embed))
        if len(todo) < run.remaining:
            return Sources(etags, refusals)
        checkpoint = self._checkpoint = Checkpoint(run.index, embedder.sha256)
        known = {each.key: checkpoint.find(each.key, each.etag) for each in todo}
        unreadable = {key: result for key, result in known.items() if isinstance(result, Refusal)}
        refusals |= unreadable
        todo = [each for each in todo if each.key not in unreadable]
        run.remaining -= len(unreadable)
        with closing(embed_all(todo, run.photos, embedder, run.limits)) as embedding:
            try:
                for each, result in embedding:
                    if isinstance(result, Refusal):
                        refusals[each.key] = result
                        if not result.passing:
                            checkpoint.add(each.key, each.etag, result)
                        elif each.key in there:
                            etags[each.key] = there[each.key]  # better the image as it was than none
                    elif result is not None:
                        etags[each.key] = each.etag
                        self._put(each.key, (each.etag, result), writer)
                    run.embedded += 1
                    run.remaining -= 1
                    run.progress(len(plan.embed) - run.remaining, len(plan.embed))
                    if time.monotonic() >= run.stop_at:
                        break
            finally:  # before the photos that are under way are waited for
                checkpoint.save()
                self._flush(writer)
        return Sources(etags, refusals)

    def _move(self, objects: list[ObjectInfo], etags: dict[str, str], writer: S3VectorsWriter) -> list[ObjectInfo]:
        """Put the vectors that the same model has left in a matrix, as many as there is time for.

        Args:
            objects: to get into the vector index.
            etags: those of the photos that are moved are added.
            writer: of the vector index.

        Returns:
            What is to be embedded, as no matrix has it.
        """
        past = self.past
        if self.run.full or past.vector_bucket or past.manifest is None or not past.made_by(self.run.chosen):
            return objects
        movable: list[ObjectInfo] = []
        todo: list[ObjectInfo] = []
        for each in objects:
            (movable if past.sources.etags.get(each.key) == each.etag else todo).append(each)
        vectors, rows = past.vectors()
        for start in range(0, len(movable), GRAIN):
            batch = movable[start : start + GRAIN]
            writer.put({each.key: (each.etag, vectors[rows[each.key]]) for each in batch})
            etags.update((each.key, each.etag) for each in batch)
            if time.monotonic() >= self.run.stop_at:
                break
        return todo

    def _put(self, key: str, embedded: Embedded, writer: S3VectorsWriter) -> None:
        self._unwritten[key] = embedded
        if len(self._unwritten) >= GRAIN or time.monotonic() - self._written_at > GRAIN_SECONDS:
            self._flush(writer)

    def _flush(self, writer: S3VectorsWriter) -> None:
        writer.put(self._unwritten)
        if self.run.full:
            self.run.put_anew |= {key: etag for key, (etag, _) in self._unwritten.items()}
        self._unwritten, self._written_at = {}, time.monotonic()

    def _counts(
        self, scope: Scope, there: Mapping[str, str], after: Sources, *, goes_on: bool
    ) -> tuple[int, dict[str, int]]:
        """Images in all and by top folder: counted by a look at everything, else reckoned from the last count."""
        now = _by_folder(after.etags)
        if scope.whole or not goes_on or self.past.manifest is None:
            return len(after.etags), now
        before, total = _by_folder(there), Counter(self.past.folders())
        total.update(now)
        total.subtract(before)
        folders = {name: count for name, count in sorted(total.items()) if count > 0}
        count = self.past.manifest.count + len(after.etags) - len(there)
        return max(count, 0), dict(list(folders.items())[:MOST_FOLDERS])

    def _says(self, count: int, folders: dict[str, int], after: Sources, there: Mapping[str, str]) -> bool:
        """Whether the current generation says all this already."""
        past = self.past
        assert past.manifest is not None, "it goes on"  # noqa: S101
        same = after == Sources(there, past.sources.refusals)
        return same and count == past.manifest.count and folders == past.folders()

    def _tidy(self, writer: S3VectorsWriter, *, whole: bool) -> None:
        """Delete what is no longer needed: files, and vector indexes that only generations that go now have named."""
        index = self.run.index
        try:
            if self._checkpoint is not None:
                self._checkpoint.delete(others=whole)
            others = {VectorIndexName(self.bucket, name) for name in writer.indexes(self._family)} - {writer.index}
            named = vector_indexes(index) if others else set()
            clean(index, datetime.now(UTC))
            for each in others & named - (vector_indexes(index) if others else set()):
                writer.drop(each.name)
        except GarmentSearchError as error:
            _log.warning("published, but what is old of the index could not be deleted: %s", error)

    def _summary(
        self, outcome: Outcome, scope: Scope, there: Mapping[str, str], after: Sources, manifest: Manifest | None
    ) -> Summary:
        run, before = self.run, Sources(there, self.past.sources.refusals)
        if scope.shard is not None:  # its share alone
            before, after = split(before, scope, inside=True), split(after, scope, inside=True)
        generation = None if manifest is None else manifest.generation
        seconds = time.monotonic() - run.started
        summary = summarize(outcome, generation, before, after, run.embedded, run.remaining, seconds)
        return summary if scope.whole or scope.shard or manifest is None else replace(summary, count=manifest.count)


def _by_folder(keys: Iterable[str]) -> dict[str, int]:
    return top_folders(sorted(keys))

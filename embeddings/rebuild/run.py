"""The rebuild: what the command, the schedule and the bucket's events all call."""

import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from embeddings.embedder import Embedder
from embeddings.errors import (
    ConflictError,
    CorruptIndexError,
    GalleryIndexError,
    GarmentSearchError,
    StorageError,
    StorageUriError,
)
from embeddings.index.history import clean
from embeddings.index.manifest import Manifest
from embeddings.index.publish import Content, Vectors, publish, read_pointer
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import DEFAULT_LIMITS, Limits
from embeddings.rebuild.checkpoint import Checkpoint
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.pipeline import NOT_GIVEN, OUTAGE, Result, embed_all
from embeddings.rebuild.plan import Plan, make_plan
from embeddings.rebuild.refusals import refuse_emptied
from embeddings.rebuild.results import Vector
from embeddings.rebuild.scope import Scope, folder_scope, key_scope, split
from embeddings.rebuild.shard import Shard
from embeddings.rebuild.shard_run import Parts
from embeddings.rebuild.summary import Outcome, Summary, summarize
from embeddings.s3_vectors.address import VECTOR_BUCKET_NAME
from embeddings.storage.objects import ObjectInfo, Writer
from embeddings.storage.reader import Reader, open_reader
from embeddings.storage.uri import StorageUri
from embeddings.storage.writers import open_writer

_ATTEMPTS = 20
_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many photos are done and how many there are to do."""


def rebuild(
    gallery: str,
    index: str,
    *,
    model: Path | None = None,
    keys: Collection[str] | None = None,
    prefix: str = "",
    run: str | None = None,
    shard: Shard | None = None,
    full: bool = False,
    dry_run: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    stop_at: float = math.inf,
    may_empty: bool = True,
    vector_bucket: str = "",
    progress: Progress = lambda _done, _total: None,
) -> Summary:
    """Make the index say what the gallery holds now, embedding only what is new or changed.

    Safe to run at any time, several at once: who publishes second compares again, and builds on the first one's result.
    A rebuild that is stopped or killed publishes nothing; the next one goes on from its checkpoint.

    Args:
        gallery: URI of the photos.
        index: URI of the index; neither inside the gallery nor around it.
        model: a model file; None for the index's own, and for a new index the bundled one. Another model than the
            index's embeds everything again.
        keys: look at these keys only.
        prefix: look at this folder only.
        run: take what the shards of this run have embedded, then delete their parts.
        shard: be one of these shards: embed its share of the gallery into its part of the run, and publish nothing.
            Any number of them may run at once, again, or the same one twice.
        full: embed everything again, and replace a damaged index.
        dry_run: only say what would be done.
        limits: what one photo may cost.
        stop_at: no photo is begun after this `time.monotonic()`; if photos remain then, the outcome is `UNFINISHED`. At
            least one is embedded, so that a chain of rebuilds comes to its end. Leave time to publish.
        may_empty: publish an index without any photo in place of one that has some. An unattended run should not: the
            likelier reason is a wrong address.
        vector_bucket: of Amazon S3 Vectors, to keep the vectors in; "" for where the index's own are, and for a new
            index a matrix. With `keys` the vectors of an index stay where they are.
        progress: told after each photo.

    Raises:
        StorageUriError, StorageError, GalleryIndexError, ModelError: the published index is as it was before.
    """
    if shard is not None and run is None:
        raise ValueError("a shard is one of a run")
    _refuse_overlap(gallery, index)
    if vector_bucket and not VECTOR_BUCKET_NAME.fullmatch(vector_bucket):
        raise StorageUriError(f"{vector_bucket!r} is no name of a vector bucket: give one such as shop-vectors")
    scope = folder_scope(prefix, shard) if keys is None else key_scope(keys)
    chosen = None if model is None else Embedder(model)
    index_files = open_writer(index)
    rebuilding = _Run(
        open_writer(gallery),
        open_reader(gallery),
        index_files,
        None if run is None else Parts(index_files, run, shard, scope.prefix),
        chosen,
        full,
        dry_run,
        limits,
        stop_at,
        may_empty,
        vector_bucket,
        index,
        progress,
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return rebuilding.attempt(scope)
        except ConflictError as error:
            _log.info("%s; comparing again (%d)", error, attempt)
    raise ConflictError(f"{_ATTEMPTS} times in a row another rebuild published first; run again when fewer are at work")


def _refuse_overlap(gallery: str, index: str) -> None:
    gallery_uri, index_uri = StorageUri.parse(gallery), StorageUri.parse(index)
    if gallery_uri.contains(index_uri) or index_uri.contains(gallery_uri):
        raise StorageUriError(
            f"the index {index} and the gallery {gallery} lie inside one another, so the index would index itself; "
            "put the index elsewhere"
        )


@dataclass
class _Run:
    """A rebuild over its attempts: what one attempt embedded is not embedded again by the next."""

    gallery: Writer
    photos: Reader
    index: Writer
    parts: Parts | None
    chosen: Embedder | None
    full: bool
    dry_run: bool
    limits: Limits
    stop_at: float
    may_empty: bool
    vector_bucket: str
    index_uri: str
    progress: Progress
    embedded: int = 0
    remaining: int = 0
    started: float = field(default_factory=time.monotonic)
    checkpoint: Checkpoint | None = None
    put_anew: dict[str, str] = field(default_factory=dict)
    """With `full`: what this run has put into a vector index, ETags by key."""

    def attempt(self, scope: Scope) -> Summary:
        """List, compare, embed, publish. Raises ConflictError if somebody else published meanwhile."""
        if self.parts is not None:
            self.parts.look()
        current = read_pointer(self.index, repair=self.full)
        if current.manifest is not None and current.manifest.held:
            return self._held(current.manifest)
        past = LastGeneration(self.index, current, repair=self.full)
        same_vectors = past.made_by(self.chosen)
        bucket = self.vector_bucket or past.vector_bucket
        if scope.keys is not None and same_vectors:
            bucket = past.vector_bucket  # vectors move when somebody looks at all of them, not with an event
        if not same_vectors or bucket != past.vector_bucket:
            scope = _widened(scope, past, same_vectors=same_vectors)
        if bucket:
            try:
                from embeddings.rebuild.s3_vectors import VectorRebuild  # and with it botocore
            except ImportError as error:
                raise StorageUriError(f"the vector bucket {bucket} needs boto3: pip install boto3 ({error})") from error
            if self.parts is not None:
                self.parts.refuse()
            return VectorRebuild(self, past, current, bucket).attempt(scope)
        reusable = past.sources if same_vectors and not self.full else split(past.sources, scope, inside=False)
        plan = make_plan(reusable, scope, scope.list(self.gallery, self.limits))
        if self.dry_run:
            planned = plan.keep | {each.key: each.etag for each in plan.embed}
            return self._summary(Outcome.DRY_RUN, past.manifest, past.sources, Sources(planned, plan.refusals))

        embedder = self.chosen
        vectors: dict[str, Vector] = {}
        after = Sources(plan.keep, plan.refusals)
        if self.parts is not None:  # also with nothing to embed: an empty part is one, and a missing one is noticed
            embedder = embedder or past.embedder()
            self._open_checkpoint(embedder)
        if plan.embed:
            embedder = embedder or past.embedder()
            results = self._embed(plan.embed, embedder)
            if self.remaining:
                return self._summary(Outcome.UNFINISHED, past.manifest, past.sources, past.sources)
            after, vectors = _outcome(plan, results, fallback=past.sources if same_vectors else Sources())
        if self.parts is not None and scope.shard is not None:
            return self._leave_part(self.parts, plan, scope, past, after)
        seen = split(after, scope, inside=True)
        refuse_emptied(len(past.sources.etags), len(after.etags), seen.refusals, may_empty=self.may_empty)
        if same_vectors and not self.full and after == past.sources:
            self._close_parts()
            return self._summary(Outcome.UNCHANGED, past.manifest, past.sources, after)
        embedder = embedder or past.embedder()
        content = Content(_matrix(past, after, vectors, embedder.dimension), after, embedder.content)
        published = publish(self.index, content, current, with_model=self.full or not same_vectors)
        self._tidy(whole=scope.whole)
        self._close_parts()
        return self._summary(Outcome.PUBLISHED, published, past.sources, after)

    def _embed(self, objects: list[ObjectInfo], embedder: Embedder) -> dict[str, Result]:
        """Results by key, as far as possible from checkpoints; `remaining` says how many are missing."""
        checkpoint = self._open_checkpoint(embedder)
        results: dict[str, Result] = {}
        for each in objects:
            found = checkpoint.find(each.key, each.etag)
            # What has another model's length came under this one's name by mistake, and would fail every run.
            strange = isinstance(found, np.ndarray) and found.shape != (embedder.dimension,)
            results[each.key] = None if strange else found
        todo = [each for each in objects if results[each.key] is None]
        self.progress(len(objects) - len(todo), len(objects))
        self.remaining = len(todo)
        with closing(embed_all(todo, self.photos, embedder, self.limits)) as embedding:
            try:
                for each, result in embedding:
                    results[each.key] = result
                    if result is not None and not (isinstance(result, Refusal) and result.passing):
                        checkpoint.add(each.key, each.etag, result)
                    self.embedded += 1
                    self.remaining -= 1
                    self.progress(len(objects) - self.remaining, len(objects))
                    if time.monotonic() >= self.stop_at:
                        break
            finally:
                checkpoint.save()  # before the photos that are under way are waited for
        return results

    def _open_checkpoint(self, embedder: Embedder) -> Checkpoint:
        if self.checkpoint is None or self.checkpoint.model_sha256 != embedder.sha256:
            sha256 = embedder.sha256
            self.checkpoint = Checkpoint(self.index, sha256) if self.parts is None else self.parts.open(sha256)
        return self.checkpoint

    def _leave_part(self, parts: Parts, plan: Plan, scope: Scope, past: LastGeneration, after: Sources) -> Summary:
        """Write what this shard has embedded, for the merge to publish."""
        assert self.checkpoint is not None, "it was opened with the parts"  # noqa: S101
        reasons = [after.refusals[each.key].reason for each in plan.embed if each.key in after.refusals]
        if len(plan.embed) >= OUTAGE and reasons.count(NOT_GIVEN) == len(plan.embed):
            raise StorageError("storage gave none of this shard's photos; the log says why")
        parts.write(self.checkpoint, plan.embed)
        try:
            self.checkpoint.delete(others=True)  # its folder is this shard's own
        except GarmentSearchError as error:
            _log.warning("the part is written, but the checkpoint could not be deleted: %s", error)
        before, done = (split(each, scope, inside=True) for each in (past.sources, after))
        return self._summary(Outcome.SHARD_DONE, past.manifest, before, done)

    def _close_parts(self) -> None:
        """After the merge. Its result is current: trouble here does not fail it."""
        if self.parts is None:
            return
        try:
            self.parts.close()
        except GarmentSearchError as error:
            _log.warning("merged, but the run's parts could not be deleted: %s", error)

    def _tidy(self, *, whole: bool) -> None:
        """Delete what is no longer needed. The generation is published: trouble here does not fail the rebuild."""
        try:
            if self.checkpoint is not None:
                self.checkpoint.delete(others=whole)
            clean(self.index, datetime.now(UTC))
        except GarmentSearchError as error:
            _log.warning("published, but old files of the index could not be deleted: %s", error)

    def _held(self, manifest: Manifest) -> Summary:
        _log.warning("the index is held at %s after a rollback; release it to rebuild", manifest.generation)
        nothing_seen = self._summary(Outcome.HELD, manifest, Sources(), Sources())
        return replace(nothing_seen, count=manifest.count, failed=manifest.failed)

    def _summary(self, outcome: Outcome, manifest: Manifest | None, before: Sources, after: Sources) -> Summary:
        generation = None if manifest is None else manifest.generation
        seconds = time.monotonic() - self.started
        return summarize(outcome, generation, before, after, self.embedded, self.remaining, seconds)


def _widened(scope: Scope, past: LastGeneration, *, same_vectors: bool) -> Scope:
    """Without vectors to build on, or where they move, the whole gallery is looked at."""
    if scope.prefix and (past.damaged or past.manifest is not None):
        why = "the vector bucket changes" if same_vectors else "the model or the preprocessing changes"
        why = "the index is damaged" if past.damaged else why
        raise GalleryIndexError(f"{why}, which concerns the whole gallery: run without --prefix")
    return replace(scope, keys=None)


def _outcome(plan: Plan, results: dict[str, Result], fallback: Sources) -> tuple[Sources, dict[str, Vector]]:
    """The next generation's sources, and its new vectors by key.

    Args:
        plan: what was to be done.
        results: of the objects to embed.
        fallback: the last generation's, where its vectors can be used.
    """
    etags, refusals, vectors = dict(plan.keep), dict(plan.refusals), {}
    for each in plan.embed:
        result = results[each.key]
        if isinstance(result, Refusal):
            refusals[each.key] = result
            if result.passing and each.key in fallback.etags:
                etags[each.key] = fallback.etags[each.key]  # better the image as it was than none
        elif result is not None:
            etags[each.key], vectors[each.key] = each.etag, result
    return Sources(etags, refusals), vectors


def _matrix(past: LastGeneration, after: Sources, new: dict[str, Vector], dimension: int) -> Vectors:
    """Pack the vectors in the order of the sorted keys: new ones, and the last generation's for the rest."""
    matrix = np.empty((len(after.etags), dimension), dtype=np.float16)
    if len(new) < len(matrix):
        old, old_row = past.vectors()
        if old.shape[1] != dimension:
            raise CorruptIndexError(
                f"the index has vectors of dimension {old.shape[1]}, its model {dimension}; rebuild with --full"
            )
    for row, key in enumerate(sorted(after.etags)):
        matrix[row] = new[key] if key in new else old[old_row[key]]
    return matrix

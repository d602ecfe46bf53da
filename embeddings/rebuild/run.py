"""The rebuild that the command, the schedule and the bucket's events all call."""

import logging
import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from embeddings.embedder import Embedder
from embeddings.errors import ConflictError, GalleryIndexError, StorageUriError
from embeddings.index.manifest import Manifest
from embeddings.index.publish import read_pointer
from embeddings.index.sources import Sources
from embeddings.preprocess import DEFAULT_LIMITS, Limits
from embeddings.rebuild.job import Job, Progress
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.matrix import MatrixRebuild
from embeddings.rebuild.product_feed import FeedOptions, Feeds
from embeddings.rebuild.scope import Scope, folder_scope, key_scope
from embeddings.rebuild.shard import Shard
from embeddings.rebuild.shard_run import ShardMerge, ShardPart
from embeddings.rebuild.summary import Outcome, Summary
from embeddings.s3_vectors.address import VECTOR_BUCKET_NAME
from embeddings.storage.objects import Writer
from embeddings.storage.reader import open_reader
from embeddings.storage.uri import StorageUri
from embeddings.storage.writers import open_writer

AS_BEFORE = FeedOptions()
"""The feed that the index was made with last; for a new index, one at the gallery's root."""
_ATTEMPTS = 20
_log = logging.getLogger(__name__)


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
    feed: FeedOptions = AS_BEFORE,
    progress: Progress = lambda _done, _total: None,
) -> Summary:
    """Make the index say what the gallery holds now, embedding only what is new or changed.

    Safe to run at any time, several at once: whoever publishes second compares again and builds on the first result.
    A rebuild that is stopped or killed publishes nothing, and the next one goes on from its checkpoint.

    Args:
        gallery: URI of the photos.
        index: URI of the index, neither inside the gallery nor around it.
        model: a model file; None for the index's own, and for a new index the bundled one. A model other than the
            index's own embeds everything again.
        keys: look at these keys only.
        prefix: look at this folder only.
        run: take what the shards of this run have embedded, then delete their parts.
        shard: embed this share of the gallery into its part of the run, and publish nothing. Shards may run at once,
            again, or the same one twice.
        full: embed everything again, and replace a damaged index.
        dry_run: only report what would be done.
        limits: limits on one photo.
        stop_at: begin no photo after this `time.monotonic()`. If photos remain then, the outcome is `UNFINISHED`. At
            least one photo is embedded, so that a chain of rebuilds comes to an end. Leave time to publish.
        may_empty: let an index without any photo replace one that has some. An unattended rebuild should not: the
            likelier cause is a wrong address.
        vector_bucket: keep the vectors in this bucket of Amazon S3 Vectors; "" leaves them where the index has them,
            and makes a matrix for a new index. With `keys` the vectors of an index always stay where they are.
        feed: the product feed. Whatever else the rebuild looks at, it looks at the whole feed if that has changed.
        progress: called after each photo.

    Raises:
        StorageUriError, StorageError, GalleryIndexError, ModelError: the published index is as it was before.
    """
    if shard is not None and run is None:
        raise ValueError("a shard is one of a run")
    _refuse_overlap(gallery, index)
    if vector_bucket and not VECTOR_BUCKET_NAME.fullmatch(vector_bucket):
        raise StorageUriError(f"{vector_bucket!r} is not the name of a vector bucket: give one such as shop-vectors")
    scope = folder_scope(prefix, shard) if keys is None else key_scope(keys)
    index_files, gallery_files = open_writer(index), open_writer(gallery)
    job = Job(
        gallery=gallery_files,
        photos=open_reader(gallery),
        index=index_files,
        index_uri=index,
        shards=_shards(index_files, run, scope),
        chosen=None if model is None else Embedder(model),
        full=full,
        dry_run=dry_run,
        limits=limits,
        stop_at=stop_at,
        may_empty=may_empty,
        vector_bucket=vector_bucket,
        feeds=Feeds(feed, gallery, gallery_files),
        progress=progress,
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _attempt(job, scope)
        except ConflictError as error:
            _log.info("%s; comparing again (%d)", error, attempt)
    raise ConflictError(f"another rebuild published first {_ATTEMPTS} times in a row; try again when fewer are at work")


def _refuse_overlap(gallery: str, index: str) -> None:
    gallery_uri, index_uri = StorageUri.parse(gallery), StorageUri.parse(index)
    if gallery_uri.contains(index_uri) or index_uri.contains(gallery_uri):
        raise StorageUriError(
            f"the index {index} and the gallery {gallery} lie one inside the other, so the index would index itself; "
            "put the index elsewhere"
        )


def _shards(index: Writer, run: str | None, scope: Scope) -> ShardPart | ShardMerge | None:
    if run is None:
        return None
    if scope.shard is None:
        return ShardMerge(index, run, scope.prefix)
    return ShardPart(index, run, scope.shard, scope.prefix)


def _attempt(job: Job, scope: Scope) -> Summary:
    """Read what was published last, choose where the vectors go, and rebuild there."""
    if job.shards is not None:
        job.shards.look()
    pointer = read_pointer(job.index, repair=job.full)
    if pointer.manifest is not None and pointer.manifest.held:
        return _held(job, pointer.manifest)
    last = LastGeneration(job.index, pointer, repair=job.full)
    if scope.whole and not (job.full or job.dry_run):
        last.check()
    same_vectors = last.made_by(job.chosen)
    bucket = job.vector_bucket or last.vector_bucket
    if scope.keys is not None and same_vectors:
        bucket = last.vector_bucket  # vectors move when a rebuild looks at all of them, not with an event
    if not same_vectors or bucket != last.vector_bucket:
        scope = _widened(scope, last, same_vectors=same_vectors)
    if not bucket:
        return MatrixRebuild(job, last).attempt(scope)
    try:
        from embeddings.rebuild.s3_vectors import S3VectorsRebuild  # and with it botocore
    except ImportError as error:
        raise StorageUriError(f"the vector bucket {bucket} needs boto3: pip install boto3 ({error})") from error
    if job.shards is not None:
        job.shards.refuse_parts()
    return S3VectorsRebuild(job, last, bucket).attempt(scope)


def _held(job: Job, manifest: Manifest) -> Summary:
    _log.warning("the index is held at %s after a rollback; release it to rebuild", manifest.generation)
    nothing_seen = job.summary(Outcome.HELD, manifest, Sources(), Sources())
    return replace(nothing_seen, count=manifest.count, failed=manifest.failed)


def _widened(scope: Scope, last: LastGeneration, *, same_vectors: bool) -> Scope:
    """Extend the scope to the whole gallery, as there are no vectors to build on, or they move."""
    if scope.prefix and (last.damaged or last.manifest is not None):
        why = "the vector bucket changes" if same_vectors else "the model or the preprocessing changes"
        why = "the index is damaged" if last.damaged else why
        raise GalleryIndexError(f"{why}, which concerns the whole gallery: run without --prefix")
    return replace(scope, keys=None)

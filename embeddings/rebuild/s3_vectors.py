"""The rebuild of an index that keeps its vectors in Amazon S3 Vectors.

The vector index itself says what is indexed: beside each vector lies its photo's ETag. So a rebuild sees what an
earlier one has put there, even if that one was killed or lost against another. It puts and deletes vectors in place,
so a reader sees at least what its generation says. Another model's vectors go into another vector index, and the
pointer moves to it only when it is full. Photos that cannot be read leave nothing there; a checkpoint keeps their
refusals until they are published.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, NotFoundError
from embeddings.folder_counts import MOST_FOLDERS, top_folders
from embeddings.index.history import clean, vector_indexes
from embeddings.index.manifest import Manifest
from embeddings.index.publish import S3VectorsContent, publish
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import PREPROCESS_VERSION
from embeddings.products.seen import Seen
from embeddings.rebuild.checkpoint import GRAIN, GRAIN_SECONDS, Checkpoint, Described
from embeddings.rebuild.job import Job, tolerated
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.plan import Plan, make_plan
from embeddings.rebuild.product_feed import ProductFeed
from embeddings.rebuild.s3_vectors_products import S3VectorsProducts
from embeddings.rebuild.scope import Scope, split
from embeddings.rebuild.shard_run import ShardMerge
from embeddings.rebuild.summary import Outcome, Summary
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.metadata import metadata_problem
from embeddings.s3_vectors.writer import Embedded, Held, S3VectorsWriter
from embeddings.storage.objects import ObjectInfo
from embeddings.storage.uri import StorageUri


class S3VectorsRebuild:
    """One attempt: put what is new into the vector index, delete what is gone."""

    def __init__(self, job: Job, last: LastGeneration, bucket: str) -> None:
        """Ask nothing of the engine yet; `bucket` is the vector bucket."""
        self._job = job
        self._last = last
        self._bucket = bucket
        self._goes_on = last.made_by(job.chosen) and last.vector_bucket == bucket
        """Whether the last generation's vector index is the one to change."""
        self._feed = ProductFeed(job.feeds, last)
        self._checkpoint: Checkpoint | None = None

    def attempt(self, scope: Scope) -> Summary:
        """List, compare, embed, put, delete, publish.

        Raises:
            ConflictError: somebody else published meanwhile.
        """
        job, last, feed = self._job, self._last, self._feed
        new_feed = feed.changed and self._has_room(scope)
        job.feed_problem = feed.problem
        if new_feed and scope.keys is not None:
            scope = Scope()  # it may concern all photos
            job.may_empty = False
        goes_on = self._goes_on
        embedder = None if goes_on else job.chosen or last.embedder()
        writer = S3VectorsWriter(self._place(embedder))
        # The index first, then the gallery: what another rebuild puts in between is not taken for a photo that is gone.
        there, shown, seen = self._there(writer, scope)
        products = S3VectorsProducts(job, last, writer, shown, seen if scope.whole else None)
        listing = scope.list(job.gallery, job.limits, metadata_problem, feed.keys)
        refusals = last.sources.refusals if goes_on else {}
        if job.full:
            refusals = {key: refusal for key, refusal in refusals.items() if key not in scope}
        plan = make_plan(Sources(self._reusable(there), refusals), scope, listing)
        job.expect(len(plan.embed))
        decides = scope.whole and (new_feed or (last.sources.feed is not None and self._has_room(scope)))
        if decides:
            products.decide(feed, plan.expected.etags.keys())
            job.feed_problem = feed.problem
        if job.dry_run:
            expected = replace(plan.expected, feed=products.state)
            return self._summary(Outcome.DRY_RUN, scope, there, expected, last.manifest)

        after = plan.kept
        if plan.embed or not goes_on:
            embedder = embedder or job.chosen or last.embedder()
            if not goes_on or job.full:
                writer.create(embedder.dimension)
            after = self._fill(plan, there, embedder, writer, products)
            if job.remaining:
                return self._summary(Outcome.UNFINISHED, scope, there, after, last.manifest)
        if scope.shard is not None:  # nothing is deleted: the merge, which looks at everything, does that
            return self._summary(Outcome.SHARD_DONE, scope, there, after, last.manifest)
        count, folders = self._counts(scope, there, after)
        before = max(len(there), last.manifest.count if last.manifest else 0)
        job.refuse_emptied(before, count, split(after, scope, inside=True).refusals)
        if decides and after.etags.keys() != plan.expected.etags.keys():
            products.decide(feed, after.etags.keys())
        stale = products.stale(after.etags)
        after = replace(after, feed=products.state)
        if goes_on and not job.full and not last.lost and not stale and self._says(count, folders, after, there):
            return self._summary(Outcome.UNCHANGED, scope, there, after, last.manifest)
        products.write(stale)
        if job.remaining:
            return self._summary(Outcome.UNFINISHED, scope, there, after, last.manifest)
        writer.delete(there.keys() - after.etags.keys())
        embedder = embedder or job.chosen or last.embedder()
        content = S3VectorsContent(
            writer.index,
            embedder.dimension,
            count,
            folders,
            Sources({}, after.refusals, after.feed),
            embedder.content,
            products.files(after.etags.keys()),
        )
        published = publish(job.index, content, last.pointer, with_model=job.full or not goes_on or last.model_lost)
        with tolerated("published, but old files or vectors of the index could not be deleted"):
            self._tidy(writer, whole=scope.whole)
        return self._summary(Outcome.PUBLISHED, scope, there, after, published)

    def _place(self, embedder: Embedder | None) -> VectorIndexName:
        """Name the current generation's vector index, or for another embedder one that every attempt finds again."""
        if embedder is None:
            assert self._last.manifest is not None, "it goes on"  # noqa: S101
            assert self._last.manifest.vector_index is not None, "in its vector index"  # noqa: S101
            return self._last.manifest.vector_index
        return VectorIndexName(self._bucket, f"{self._family}{embedder.sha256[:16]}-{PREPROCESS_VERSION}-products")

    def _has_room(self, scope: Scope) -> bool:
        """Say whether the vector index can hold products. With `full`, one that cannot is left for a new one."""
        if not self._goes_on:
            return True
        index = self._place(None)
        try:
            if S3VectorsWriter(index).has_room_for_products():
                return True
        except NotFoundError:
            return True  # it is about to be made
        if self._job.full and scope.whole:
            self._goes_on = False
            return True
        self._feed.note(f"{index} is of an earlier version, without room for products: make a new one with --full")
        return False

    @property
    def _family(self) -> str:
        """The start of the names of this index's vector indexes. Other indexes may have theirs in the same bucket."""
        uri = StorageUri.parse(self._job.index_uri)
        place = f"{uri.scheme}://{uri.bucket}/{uri.prefix}"
        return f"garments-{hashlib.sha256(place.encode()).hexdigest()[:12]}-"

    def _there(self, writer: S3VectorsWriter, scope: Scope) -> Held:
        """Read what is indexed, as far as the scope reaches."""
        try:
            return writer.look(scope.keys, scope.__contains__)
        except NotFoundError as error:
            if self._goes_on and not (self._job.full and scope.whole):
                raise CorruptIndexError(f"{error}; make it anew with --full") from error
            return Held({}, {}, {})

    def _reusable(self, there: Mapping[str, str]) -> Mapping[str, str]:
        """Say what need not be put again: with `full` only what this job, or the shards it merges, put anew."""
        job = self._job
        if not job.full or isinstance(job.shards, ShardMerge):
            return there
        return {key: etag for key, etag in there.items() if job.put_anew.get(key) == etag}

    def _fill(
        self,
        plan: Plan,
        there: Mapping[str, str],
        embedder: Embedder,
        writer: S3VectorsWriter,
        products: S3VectorsProducts,
    ) -> Sources:
        """Put what is new; `remaining` of the job says how many photos are missing."""
        movable = self._movable(plan.embed)
        moved = self._move(movable, writer, products)
        plan = Plan(
            Sources({**plan.kept.etags, **moved}, plan.kept.refusals),
            [each for each in plan.embed if each.key not in moved],
        )
        if len(moved) < len(movable):
            return plan.kept
        self._checkpoint = Checkpoint(self._job.index, embedder)
        return self._job.embed(plan, embedder, _Puts(writer, self._checkpoint, self._job, products), fallback=there)

    def _movable(self, photos: list[ObjectInfo]) -> list[ObjectInfo]:
        """List the photos whose vectors the same model has left in a matrix."""
        last = self._last
        if self._job.full or last.vector_bucket or not last.made_by(self._job.chosen):
            return []
        return [each for each in photos if last.sources.etags.get(each.key) == each.etag]

    def _move(self, photos: list[ObjectInfo], writer: S3VectorsWriter, products: S3VectorsProducts) -> dict[str, str]:
        """Put vectors of the matrix into the vector index, as many as there is time for; return their ETags by key."""
        moved: dict[str, str] = {}
        if not photos:
            return moved
        (vectors, rows), seen = self._last.vectors(), self._last.seen()
        for start in range(0, len(photos), GRAIN):
            batch = photos[start : start + GRAIN]
            put = {each.key: (each.etag, vectors[rows[each.key]]) for each in batch}
            writer.put(put, products.of({key: seen.get(key, Seen()) for key in put}))
            moved.update((each.key, each.etag) for each in batch)
            self._job.advance(len(batch))
            if self._job.out_of_time:
                break
        return moved

    def _counts(self, scope: Scope, there: Mapping[str, str], after: Sources) -> tuple[int, dict[str, int]]:
        """Count images in all and by top folder: after a look at everything anew, else from the last counts."""
        last, now = self._last, top_folders(sorted(after.etags))
        if scope.whole or not self._goes_on or last.manifest is None:
            return len(after.etags), now
        total = Counter(last.folders())
        total.update(now)
        total.subtract(top_folders(sorted(there)))
        folders = {name: count for name, count in sorted(total.items()) if count > 0}
        count = last.manifest.count + len(after.etags) - len(there)
        return max(count, 0), dict(list(folders.items())[:MOST_FOLDERS])

    def _says(self, count: int, folders: dict[str, int], after: Sources, there: Mapping[str, str]) -> bool:
        """Say whether the current generation states all this already."""
        last = self._last
        assert last.manifest is not None, "it goes on"  # noqa: S101
        same = after == Sources(there, last.sources.refusals, last.sources.feed)
        return same and count == last.manifest.count and folders == last.folders()

    def _tidy(self, writer: S3VectorsWriter, *, whole: bool) -> None:
        """Delete old files, and vector indexes that were named only by generations that go now."""
        index = self._job.index
        if self._checkpoint is not None:
            self._checkpoint.delete(others=whole)
        others = {VectorIndexName(self._bucket, name) for name in writer.indexes(self._family)} - {writer.index}
        named = vector_indexes(index) if others else set()
        clean(index, datetime.now(UTC))
        for each in others & named - (vector_indexes(index) if others else set()):
            writer.drop(each.name)

    def _summary(
        self, outcome: Outcome, scope: Scope, there: Mapping[str, str], after: Sources, manifest: Manifest | None
    ) -> Summary:
        before = Sources(there, self._last.sources.refusals, self._last.sources.feed)
        if scope.shard is not None:  # its share alone
            before, after = split(before, scope, inside=True), split(after, scope, inside=True)
        summary = self._job.summary(outcome, manifest, before, after)
        return summary if scope.whole or scope.shard or manifest is None else replace(summary, count=manifest.count)


class _Puts:
    """A `Store` that puts vectors into the vector index in batches, and refusals, which leave nothing there, into a
    checkpoint."""

    def __init__(self, writer: S3VectorsWriter, checkpoint: Checkpoint, job: Job, products: S3VectorsProducts) -> None:
        self._products = products
        self._writer = writer
        self._checkpoint = checkpoint
        self._job = job
        self._unwritten: dict[str, Embedded] = {}
        self._seen: dict[str, Seen] = {}
        self._written_at = time.monotonic()

    def find(self, key: str, etag: str) -> Refusal | None:
        """Return a refusal of the checkpoint. Vectors are found by a look at the vector index."""
        known = self._checkpoint.find(key, etag)
        return known if isinstance(known, Refusal) else None

    def add(self, key: str, etag: str, result: Described | Refusal) -> None:
        """Remember a result; put the vectors when a grain is full."""
        if isinstance(result, Refusal):
            self._checkpoint.add(key, etag, result)
            return
        self._unwritten[key] = (etag, result.vector)
        self._seen[key] = result.seen
        if len(self._unwritten) >= GRAIN or time.monotonic() - self._written_at > GRAIN_SECONDS:
            self._put()

    def save(self) -> None:
        """Write what was added since the last save."""
        self._checkpoint.save()
        self._put()

    def _put(self) -> None:
        self._writer.put(self._unwritten, self._products.of(self._seen))
        if self._job.full:
            self._job.put_anew |= {key: etag for key, (etag, _) in self._unwritten.items()}
        self._unwritten, self._seen, self._written_at = {}, {}, time.monotonic()

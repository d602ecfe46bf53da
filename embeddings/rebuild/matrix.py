"""The rebuild of an index that keeps its vectors in a matrix."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, StorageError
from embeddings.index.history import clean
from embeddings.index.publish import Content, ProductFiles, Vectors, publish
from embeddings.index.sources import Sources
from embeddings.products.columns import pack_columns
from embeddings.products.seen import Seen
from embeddings.rebuild.checkpoint import Checkpoint, Described
from embeddings.rebuild.job import Job, tolerated
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.pipeline import NOT_GIVEN, OUTAGE
from embeddings.rebuild.plan import Plan, make_plan, reuse_renamed
from embeddings.rebuild.product_feed import ProductFeed, Products
from embeddings.rebuild.scope import Scope, split
from embeddings.rebuild.shard_run import ShardMerge, ShardPart
from embeddings.rebuild.summary import Outcome, Summary
from embeddings.storage.objects import ObjectInfo


@dataclass
class MatrixRebuild:
    """One attempt: a new matrix of the vectors that still hold and the new ones."""

    job: Job
    last: LastGeneration

    def attempt(self, scope: Scope) -> Summary:
        """List, compare, embed, publish.

        Raises:
            ConflictError: somebody else published meanwhile.
        """
        job, last = self.job, self.last
        same_vectors = last.made_by(job.chosen)
        reusable = last.sources if same_vectors and not job.full else split(last.sources, scope, inside=False)
        feed = ProductFeed(job.feeds, last)
        plan = make_plan(reusable, scope, scope.list(job.gallery, job.limits, feeds=feed.keys))
        plan, renamed = reuse_renamed(plan, reusable.etags if same_vectors else {})
        job.expect(len(plan.embed))
        if job.dry_run:
            expected = replace(plan.expected, feed=feed.products(plan.expected.etags.keys()).state)
            job.feed_problem = feed.problem
            return job.summary(Outcome.DRY_RUN, last.manifest, last.sources, expected)

        embedder, after = job.chosen, plan.kept
        new: dict[str, Described] = {}
        # A shard run opens its files even with nothing to embed: an empty part is a part, a missing one is an error.
        if plan.embed or job.shards is not None:
            embedder = embedder or last.embedder()
            checkpoint = self._open_checkpoint(embedder)
            if plan.embed:
                after = job.embed(plan, embedder, checkpoint, last.sources.etags if same_vectors else {})
                if job.remaining:
                    return job.summary(Outcome.UNFINISHED, last.manifest, last.sources, last.sources)
                new = _described(plan.embed, checkpoint)
            if isinstance(job.shards, ShardPart):
                return self._leave_part(job.shards, checkpoint, plan, scope, after)
        looked_at = split(after, scope, inside=True)
        job.refuse_emptied(len(last.sources.etags), len(after.etags), looked_at.refusals)
        same = same_vectors and not job.full and not last.lost and after.same_photos(last.sources)
        if same and not feed.changed:
            return self._unchanged(feed)
        products = feed.products(after.etags.keys())
        if same and products.state == last.sources.feed:
            return self._unchanged(feed)
        job.feed_problem = feed.problem
        embedder = embedder or last.embedder()
        after = replace(after, feed=products.state)
        keys = [*after.shown, *after.hidden]
        matrix, seen = self._matrix(keys, new, renamed, embedder.dimension), self._seen(keys, new, renamed)
        shown = len(after.shown)
        content = Content(
            matrix[:shown],
            after,
            embedder.content,
            hidden=matrix[shown:] if shown < len(matrix) else None,
            products=ProductFiles(_columns(products, after, seen), products.feed),
        )
        published = publish(
            job.index, content, last.pointer, with_model=job.full or not same_vectors or last.model_lost
        )
        with tolerated("published, but old files of the index could not be deleted"):
            if job.checkpoint is not None:
                job.checkpoint.delete(others=scope.whole)
            clean(job.index, datetime.now(UTC))
        self._close_run()
        return job.summary(Outcome.PUBLISHED, published, last.sources, after)

    def _unchanged(self, feed: ProductFeed) -> Summary:
        self._close_run()
        self.job.feed_problem = feed.problem
        return self.job.summary(Outcome.UNCHANGED, self.last.manifest, self.last.sources, self.last.sources)

    def _open_checkpoint(self, embedder: Embedder) -> Checkpoint:
        job = self.job
        if job.checkpoint is None or job.checkpoint.model_sha256 != embedder.sha256:
            job.checkpoint = Checkpoint(job.index, embedder) if job.shards is None else job.shards.open(embedder)
        return job.checkpoint

    def _leave_part(self, part: ShardPart, checkpoint: Checkpoint, plan: Plan, scope: Scope, after: Sources) -> Summary:
        """Write what this shard has embedded, for the merge to publish."""
        results = [after.refusals.get(each.key) for each in plan.embed]
        if len(results) >= OUTAGE and all(each is not None and each.reason == NOT_GIVEN for each in results):
            raise StorageError("storage gave none of this shard's photos; the log says why")
        part.write(checkpoint, plan.embed)
        with tolerated("the part is written, but the checkpoint could not be deleted"):
            checkpoint.delete(others=True)  # its folder is this shard's own
        before, done = (split(each, scope, inside=True) for each in (self.last.sources, after))
        return self.job.summary(Outcome.SHARD_DONE, self.last.manifest, before, done)

    def _close_run(self) -> None:
        """Delete the parts after a merge, whose result is current by now."""
        if isinstance(self.job.shards, ShardMerge):
            with tolerated("merged, but the run's parts could not be deleted"):
                self.job.shards.close()

    def _matrix(
        self, keys: Sequence[str], new: Mapping[str, Described], renamed: Mapping[str, str], dimension: int
    ) -> Vectors:
        """Pack new vectors, and the last generation's for the rest, in the order of the keys."""
        matrix = np.empty((len(keys), dimension), dtype=np.float16)
        if len(new) < len(matrix):
            old, old_row = self.last.vectors()
            if old.shape[1] != dimension:
                raise CorruptIndexError(
                    f"the index has vectors of dimension {old.shape[1]}, its model {dimension}; rebuild with --full"
                )
        for row, key in enumerate(keys):
            matrix[row] = new[key].vector if key in new else old[old_row[renamed.get(key, key)]]
        return matrix

    def _seen(self, keys: Sequence[str], new: Mapping[str, Described], renamed: Mapping[str, str]) -> list[Seen]:
        """List what the model sees in new photos, and what it saw in the rest; nothing if it does not tell."""
        before = self.last.seen() if len(new) < len(keys) else {}
        seen = [new[key].seen if key in new else before.get(renamed.get(key, key), Seen()) for key in keys]
        return seen if any(each != Seen() for each in seen) else []


def _described(photos: Iterable[ObjectInfo], checkpoint: Checkpoint) -> dict[str, Described]:
    found = {each.key: checkpoint.find(each.key, each.etag) for each in photos}
    return {key: result for key, result in found.items() if isinstance(result, Described)}


def _columns(products: Products, after: Sources, seen: Sequence[Seen]) -> bytes:
    if not products.by_key and not seen:
        return b""
    shown = [products.by_key.get(key) for key in after.shown]
    return pack_columns(shown, seen[: len(shown)], seen[len(shown) :])

"""One rebuild over all its attempts: what was asked for, the counters, and the loop that embeds photos."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from embeddings.embedder import Embedder
from embeddings.errors import GalleryIndexError, GarmentSearchError, StorageError
from embeddings.index.manifest import Manifest
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import Limits
from embeddings.rebuild.checkpoint import Checkpoint, Described
from embeddings.rebuild.pipeline import NOT_GIVEN, Result, embed_all
from embeddings.rebuild.plan import Plan
from embeddings.rebuild.product_feed import Feeds
from embeddings.rebuild.shard_run import ShardMerge, ShardPart
from embeddings.rebuild.summary import Outcome, Summary, summarize
from embeddings.storage.objects import ObjectInfo, Writer
from embeddings.storage.reader import Reader

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many photos are done and how many there are to do."""


class Store(Protocol):
    """Keeps results until they are published, so that no photo is embedded twice."""

    def find(self, key: str, etag: str) -> Described | Refusal | None:
        """Return the result for this content of this key, or None if there is none yet."""

    def add(self, key: str, etag: str, result: Described | Refusal) -> None:
        """Remember a result."""

    def save(self) -> None:
        """Write what was added since the last save."""


@dataclass(kw_only=True)
class Job:
    """The options of `rebuild`, opened, and what one attempt leaves to the next: nothing is embedded twice."""

    gallery: Writer
    photos: Reader
    index: Writer
    index_uri: str
    shards: ShardPart | ShardMerge | None
    chosen: Embedder | None
    full: bool
    dry_run: bool
    limits: Limits
    stop_at: float
    may_empty: bool
    vector_bucket: str
    feeds: Feeds
    progress: Progress
    embedded: int = field(default=0, init=False)
    """Photos embedded so far, refused ones included."""
    remaining: int = field(default=0, init=False)
    """Photos of the present plan that still have no result."""
    checkpoint: Checkpoint | None = field(default=None, init=False)
    """Opened by the first attempt that embeds."""
    put_anew: dict[str, str] = field(default_factory=dict, init=False)
    """With `full`: what this job has put into a vector index, ETags by key."""
    feed_problem: str = field(default="", init=False)
    """Why the product feed could not be used, in this attempt."""
    _total: int = field(default=0, init=False)
    _started: float = field(default_factory=time.monotonic, init=False)

    @property
    def out_of_time(self) -> bool:
        """Whether no further photo may be begun."""
        return time.monotonic() >= self.stop_at

    def expect(self, photos: int) -> None:
        """Start to count, as a plan has this many photos to embed."""
        self._total = self.remaining = photos

    def advance(self, photos: int) -> None:
        """Count photos as done, and report progress."""
        self.remaining -= photos
        self.progress(self._total - self.remaining, self._total)

    def embed(self, plan: Plan, embedder: Embedder, store: Store, fallback: Mapping[str, str]) -> Sources:
        """Embed a plan's photos until time is up; `remaining` then says how many are left.

        Args:
            plan: its photos are embedded, unless the store has their results.
            embedder: the model.
            store: takes the results, and is saved however this ends.
            fallback: ETags by key of the images whose last vectors can stand in for photos that storage does not give.

        Returns:
            The next generation's sources, as far as they are known.

        Raises:
            UnavailableError: storage fails again and again. ModelError: the model embeds nothing.
        """
        etags, refusals = dict(plan.kept.etags), dict(plan.kept.refusals)

        def note(photo: ObjectInfo, result: Result) -> None:
            if isinstance(result, Refusal):
                refusals[photo.key] = result
                if result.passing and photo.key in fallback:
                    etags[photo.key] = fallback[photo.key]  # better the image as it was than none
            elif result is not None:
                etags[photo.key] = photo.etag

        todo = []
        for photo in plan.embed:
            known = store.find(photo.key, photo.etag)
            note(photo, known)
            if known is None:
                todo.append(photo)
        self.advance(len(plan.embed) - len(todo))
        with closing(embed_all(todo, self.photos, embedder, self.limits)) as results:
            try:
                for photo, result in results:
                    note(photo, result)
                    if result is not None and not (isinstance(result, Refusal) and result.passing):
                        store.add(photo.key, photo.etag, result)
                    self.embedded += 1
                    self.advance(1)
                    if self.out_of_time:
                        break
            finally:
                store.save()  # now, since closing `results` waits for the photos that are under way
        return Sources(etags, refusals)

    def refuse_emptied(self, before: int, after: int, refusals: Mapping[str, Refusal]) -> None:
        """Stop before an index without any image is published by mistake.

        Args:
            before: images in the index now.
            after: images it would have.
            refusals: of the part of the gallery that was looked at.

        Raises:
            StorageError: storage gave none of the photos. GalleryIndexError: the gallery is empty, and `may_empty` is
                not set.
        """
        if after:
            return
        if any(refusal.reason == NOT_GIVEN for refusal in refusals.values()):
            raise StorageError("storage gave none of the photos; the log says why")
        if before and not self.may_empty:
            raise GalleryIndexError(
                f"none of the {before} photos of the index is left in the gallery; if that is right, let "
                "scripts/rebuild_embeddings.py publish an empty index, and if not, correct GALLERY_URI"
            )

    def summary(self, outcome: Outcome, manifest: Manifest | None, before: Sources, after: Sources) -> Summary:
        """Report the end of the job; `manifest` is that of the generation that is current now."""
        generation = None if manifest is None else manifest.generation
        seconds = time.monotonic() - self._started
        return summarize(outcome, generation, before, after, self.embedded, self.remaining, seconds, self.feed_problem)


@contextmanager
def tolerated(what: str) -> Iterator[None]:
    """Log an error of a step that no longer matters to the result, and go on."""
    try:
        yield
    except GarmentSearchError as error:
        _log.warning("%s: %s", what, error)

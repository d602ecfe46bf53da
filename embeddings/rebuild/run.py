"""The rebuild: what the command, the schedule and the bucket's events all call."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.errors import ConflictError, CorruptIndexError, GalleryIndexError, NotFoundError, StorageUriError
from embeddings.index.fetch import check_file
from embeddings.index.generation import read_vectors
from embeddings.index.history import clean
from embeddings.index.manifest import SOURCES, VECTORS, FileEntry, Manifest
from embeddings.index.publish import Content, Vectors, publish, read_current
from embeddings.index.sources import Failure, Sources
from embeddings.preprocess import DEFAULT_LIMITS, PREPROCESS_VERSION, Limits
from embeddings.rebuild.checkpoint import Checkpoint, Vector
from embeddings.rebuild.plan import Plan, make_plan
from embeddings.rebuild.scope import Scope, folder_scope
from embeddings.rebuild.summary import Outcome, Summary, summarize
from embeddings.rebuild.work import embed_all
from embeddings.storage.reader import Reader, open_reader
from embeddings.storage.uri import StorageUri
from embeddings.storage.writer import Writer, open_writer

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
    full: bool = False,
    dry_run: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress = lambda _done, _total: None,
) -> Summary:
    """Make the index say what the gallery holds now, embedding only what is new or changed.

    Safe to run at any time, several at once: who publishes second compares again, and builds on the first one's result.

    Args:
        gallery: URI of the photos.
        index: URI of the index; neither inside the gallery nor around it.
        model: a model file; None for the index's own, and for a new index the bundled one. Another model than the
            index's embeds everything again.
        keys: look at these keys only.
        prefix: look at this folder only.
        full: embed everything again, and replace a damaged index.
        dry_run: only say what would be done.
        limits: what one photo may cost.
        progress: told after each photo.

    Raises:
        StorageUriError, StorageError, GalleryIndexError, ModelError: the published index is as it was before.
    """
    _refuse_overlap(gallery, index)
    scope = folder_scope(prefix) if keys is None else Scope(keys=frozenset(keys))
    chosen = None if model is None else Embedder(model)
    run = _Run(open_writer(gallery), open_reader(gallery), open_writer(index), chosen, full, dry_run, limits, progress)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return run.attempt(scope)
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
    chosen: Embedder | None
    full: bool
    dry_run: bool
    limits: Limits
    progress: Progress
    embedded: int = 0
    started: float = field(default_factory=time.monotonic)
    checkpoint: Checkpoint | None = None

    def attempt(self, scope: Scope) -> Summary:
        """List, compare, embed, publish. Raises ConflictError if somebody else published meanwhile."""
        current = read_current(self.index, repair=self.full)
        before = current.manifest
        if before is not None and before.held:
            _log.warning("the index is held at %s after a rollback; release it to rebuild", before.generation)
            return self._summary(Outcome.HELD, before, Sources(), Sources())
        known = None if before is None else self._sources(before)
        same_vectors = before is not None and known is not None and self._makes_same_vectors(before)
        if not same_vectors:
            scope = _widened(scope, new=before is None)
        known = known or Sources()
        reusable = known if same_vectors and not self.full else _outside(known, scope)
        plan = make_plan(reusable, scope, scope.list(self.gallery, self.limits))
        if self.dry_run:
            planned = plan.keep | {each.key: each.etag for each in plan.embed}
            return self._summary(Outcome.DRY_RUN, before, known, Sources(planned, plan.failures))

        after, vectors = self._carry_out(plan, reusable, before)
        if same_vectors and not self.full and after == known:
            return self._summary(Outcome.UNCHANGED, before, known, after)
        embedder = self._embedder(before)
        matrix = self._matrix(before, known, after, vectors, embedder.dimension)
        published = publish(self.index, Content(matrix, after, embedder.content), current)
        if self.checkpoint is not None:
            self.checkpoint.delete()
        clean(self.index, published, datetime.now(UTC))
        return self._summary(Outcome.PUBLISHED, published, known, after)

    def _sources(self, before: Manifest) -> Sources | None:
        """The last generation's sources; None if they are damaged and may be replaced."""
        try:
            return Sources.from_bytes(self._read(before.path(SOURCES), before.files[SOURCES]), before.path(SOURCES))
        except CorruptIndexError:
            if not self.full:
                raise
            return None

    def _makes_same_vectors(self, before: Manifest) -> bool:
        same_model = self.chosen is None or self.chosen.sha256 == before.model.sha256
        return same_model and before.preprocess == PREPROCESS_VERSION

    def _embedder(self, before: Manifest | None) -> Embedder:
        if self.chosen is not None:
            return self.chosen
        if before is None:
            return Embedder(BUNDLED_MODEL)
        return Embedder(self._read(before.model_path, before.model))

    def _carry_out(self, plan: Plan, reusable: Sources, before: Manifest | None) -> tuple[Sources, dict[str, Vector]]:
        """Embed what the plan says, and say what the next generation's sources and new vectors are."""
        etags, failures = dict(plan.keep), dict(plan.failures)
        vectors: dict[str, Vector] = {}
        if not plan.embed:
            return Sources(etags, failures), vectors
        embedder = self._embedder(before)
        if self.checkpoint is None or self.checkpoint.model_sha256 != embedder.sha256:
            self.checkpoint = Checkpoint(self.index, embedder.sha256)
        checkpoint = self.checkpoint
        results = {each.key: checkpoint.find(each.key, each.etag) for each in plan.embed}
        todo = [each for each in plan.embed if results[each.key] is None]
        self.progress(len(plan.embed) - len(todo), len(plan.embed))
        try:
            for done, (each, result) in enumerate(embed_all(todo, self.photos, embedder, self.limits), 1):
                results[each.key] = result
                if result is not None and not (isinstance(result, Failure) and result.passing):
                    checkpoint.add(each.key, each.etag, result)
                self.embedded += 1
                self.progress(len(plan.embed) - len(todo) + done, len(plan.embed))
        finally:
            checkpoint.save()
        for each in plan.embed:
            result = results[each.key]
            if isinstance(result, Failure):
                failures[each.key] = result
                if result.passing and each.key in reusable.etags:
                    etags[each.key] = reusable.etags[each.key]  # better the image as it was than none
            elif result is not None:
                etags[each.key], vectors[each.key] = each.etag, result
        return Sources(etags, failures), vectors

    def _matrix(
        self, before: Manifest | None, known: Sources, after: Sources, new: dict[str, Vector], dimension: int
    ) -> Vectors:
        """Pack the vectors in the order of the sorted keys: new ones, and the last generation's for the rest."""
        matrix = np.empty((len(after.etags), dimension), dtype=np.float16)
        if len(new) < len(matrix) and before is not None:
            old = read_vectors(before, self._read(before.path(VECTORS), before.files[VECTORS]))
            old_row = {key: row for row, key in enumerate(sorted(known.etags))}
        for row, key in enumerate(sorted(after.etags)):
            matrix[row] = new[key] if key in new else old[old_row[key]]
        return matrix

    def _read(self, path: str, entry: FileEntry) -> bytes:
        try:
            data = self.index.get(path).data
        except NotFoundError as error:
            raise CorruptIndexError(f"{path} of the index is missing; roll back, or rebuild with --full") from error
        check_file(path, data, entry)
        return data

    def _summary(self, outcome: Outcome, manifest: Manifest | None, before: Sources, after: Sources) -> Summary:
        generation = None if manifest is None else manifest.generation
        return summarize(outcome, generation, before, after, self.embedded, time.monotonic() - self.started)


def _widened(scope: Scope, *, new: bool) -> Scope:
    """Without vectors to build on, the whole gallery must be embedded."""
    if scope.prefix and not new:
        raise GalleryIndexError("the model changes, which concerns the whole gallery: run without --prefix")
    return Scope(prefix=scope.prefix)


def _outside(sources: Sources, scope: Scope) -> Sources:
    return Sources(
        {key: etag for key, etag in sources.etags.items() if key not in scope},
        {key: failure for key, failure in sources.failures.items() if key not in scope},
    )

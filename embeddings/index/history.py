"""Past generations: rolling back to one, releasing the hold afterwards, and deleting what nobody needs any more."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from embeddings.errors import GalleryIndexError, NoIndexError, NotFoundError
from embeddings.index.manifest import Manifest, generation_folder
from embeddings.index.publish import PAST_MANIFEST, read_file, read_pointer, swap_pointer
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.storage.objects import ObjectInfo, Writer

KEEP_GENERATIONS = 3
"""Past generations kept for rollback, whatever their age."""

GRACE = timedelta(hours=24)
"""A starting reader or another rebuild may still use files that no pointer names any more."""

BROKEN_OFF = timedelta(days=7)
"""An interrupted rebuild or shard run can be resumed for this long."""


def past_generations(writer: Writer) -> list[str]:
    """List the ids of the generations that `rollback` can go back to, newest first."""
    return sorted(_past(writer.list("generations/")), reverse=True)


def rollback(writer: Writer, generation: str | None = None) -> Manifest:
    """Make a past generation the current one again, and hold it there until `release`.

    Args:
        writer: storage of the index.
        generation: its id; None for the newest that is older than the current one.

    Raises:
        NoIndexError: nothing was ever published.
        GalleryIndexError: there is no such generation, or its files are damaged.
        ConflictError: a rebuild published at the same moment.
        StorageError: storage failed.
    """
    current = read_pointer(writer, repair=True)
    if current.version is None:
        raise NoIndexError("there is no index to roll back")
    if generation is None:
        now_at = current.manifest.generation if current.manifest else "~"
        generation = next((each for each in past_generations(writer) if each < now_at), None)
        if generation is None:
            raise GalleryIndexError("there is no older generation to roll back to")
    past = generation_folder(generation) + PAST_MANIFEST
    try:
        stored = writer.get(past)
    except NotFoundError as error:
        choices = ", ".join(past_generations(writer)) or "none"
        raise GalleryIndexError(f"there is no past generation {generation!r}; there are: {choices}") from error
    writer.put(
        past, stored.data, content_type="application/json"
    )  # makes it young again, so that no clean-up deletes it
    manifest = replace(Manifest.from_json(stored.data, past), held=True)
    entries = {manifest.path(name): entry for name, entry in manifest.files.items()}
    for path, entry in {**entries, manifest.model_path: manifest.model}.items():
        read_file(writer, path, entry)
    swap_pointer(writer, manifest, current)
    return manifest


def release(writer: Writer) -> Manifest:
    """Let rebuilds publish again after a rollback.

    Raises:
        NoIndexError, ConflictError, StorageError.
    """
    current = read_pointer(writer)
    if current.manifest is None:
        raise NoIndexError("there is no index to release")
    released = replace(current.manifest, held=False)
    if released != current.manifest:
        swap_pointer(writer, released, current)
    return released


def vector_indexes(writer: Writer) -> set[VectorIndexName]:
    """List the vector indexes that the pointer and the past generations name."""
    current = read_pointer(writer).manifest  # read first: if it is superseded after that, it is among the past ones
    manifests = [_past_manifest(writer, generation) for generation in past_generations(writer)]
    return {each.vector_index for each in (current, *manifests) if each is not None and each.vector_index is not None}


def clean(writer: Writer, now: datetime) -> int:
    """Delete files that nothing needs any more, once they are older than `GRACE`; unfinished work after `BROKEN_OFF`.

    Deletes only paths that this library writes.

    Args:
        writer: storage of the index.
        now: the present time, aware.

    Returns:
        How many files were deleted.

    Raises:
        CorruptIndexError: the pointer is damaged; nothing was deleted. StorageError: storage failed.
    """
    objects = [each for place in ("generations/", "models/", "checkpoints/", "runs/") for each in writer.list(place)]
    current = read_pointer(writer).manifest  # read after the listing, which lacks all that was written since
    if current is None:
        return 0
    superseded = _past(iter(objects))
    kept = set(sorted(superseded.keys() - {current.generation}, reverse=True)[:KEEP_GENERATIONS])
    kept |= {generation for generation, when in superseded.items() if when > now - GRACE}
    kept.add(current.generation)
    # Unfinished work is deleted as a whole: its first files may be days older than its last.
    at_work = {_work_of(each.key) for each in objects if each.modified >= now - BROKEN_OFF} - {""}
    old = [
        each.key
        for each in objects
        if each.modified < now - GRACE and _generation_of(each.key) not in kept and _work_of(each.key) not in at_work
    ]
    models = {key for key in old if key.startswith("models/")} - {current.model_path}
    if models:
        models -= _models_of(writer, kept & superseded.keys())
    unneeded = [key for key in old if not key.startswith("models/")] + sorted(models)
    # Manifests first: a generation that loses its files must not be one to roll back to.
    writer.delete(sorted(unneeded, key=lambda key: not key.endswith(f"/{PAST_MANIFEST}")))
    return len(unneeded)


def _models_of(writer: Writer, generations: Iterable[str]) -> set[str]:
    return {_past_manifest(writer, generation).model_path for generation in generations}


def _past_manifest(writer: Writer, generation: str) -> Manifest:
    path = generation_folder(generation) + PAST_MANIFEST
    return Manifest.from_json(writer.get(path).data, path)


def _past(objects: Iterator[ObjectInfo]) -> dict[str, datetime]:
    """Tell when each past generation ceased to be the current one."""
    return {_generation_of(each.key): each.modified for each in objects if each.key.endswith(f"/{PAST_MANIFEST}")}


def _generation_of(path: str) -> str:
    return _named_in(path, "generations")


def _work_of(path: str) -> str:
    return _named_in(path, "runs") or _named_in(path, "checkpoints")


def _named_in(path: str, place: str) -> str:
    """Return the folder directly in `place` that holds the file, or "" if none does."""
    first, _, rest = path.partition("/")
    return rest.partition("/")[0] if first == place else ""

"""Past generations: going back to one, releasing the hold after that, and deleting what nobody can need."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from embeddings.errors import GalleryIndexError, NoIndexError, NotFoundError
from embeddings.index.fetch import check_file
from embeddings.index.manifest import Manifest, generation_folder
from embeddings.index.publish import PAST_MANIFEST, read_current, swap_pointer
from embeddings.storage.writer import ObjectInfo, Writer

KEEP_GENERATIONS = 3
"""Past generations kept for rollback, whatever their age."""

GRACE = timedelta(hours=24)
"""A reader that is just starting, or another rebuild, may hold files that no pointer names any more."""


def past_generations(writer: Writer) -> list[str]:
    """Ids of the generations that one can roll back to, newest first."""
    return sorted(_past(writer.list("generations/")), reverse=True)


def rollback(writer: Writer, generation: str | None = None) -> Manifest:
    """Make a past generation the current one again, and hold it there until `release`.

    Args:
        generation: its id; None for the newest that is older than the current one.

    Raises:
        NoIndexError: nothing was ever published. GalleryIndexError: no such generation, or its files are damaged.
        ConflictError: a rebuild published at the same moment. StorageError: storage failed.
    """
    current = read_current(writer, repair=True)
    if current.version is None:
        raise NoIndexError("there is no index to roll back")
    if generation is None:
        now_at = current.manifest.generation if current.manifest else "~"
        generation = next((each for each in past_generations(writer) if each < now_at), None)
        if generation is None:
            raise GalleryIndexError("there is no older generation to roll back to")
    try:
        stored = writer.get(generation_folder(generation) + PAST_MANIFEST)
    except NotFoundError as error:
        choices = ", ".join(past_generations(writer)) or "none"
        raise GalleryIndexError(f"there is no past generation {generation!r}; there are: {choices}") from error
    manifest = replace(Manifest.from_json(stored.data, PAST_MANIFEST), held=True)
    entries = {manifest.path(name): entry for name, entry in manifest.files.items()}
    for path, entry in {**entries, manifest.model_path: manifest.model}.items():
        try:
            check_file(path, writer.get(path).data, entry)
        except NotFoundError as error:
            raise GalleryIndexError(f"{path} is missing; roll back to another generation") from error
    swap_pointer(writer, manifest, current)
    return manifest


def release(writer: Writer) -> Manifest:
    """Let rebuilds publish again after a rollback.

    Raises:
        NoIndexError, ConflictError, StorageError.
    """
    current = read_current(writer)
    if current.manifest is None:
        raise NoIndexError("there is no index to release")
    released = replace(current.manifest, held=False)
    if released != current.manifest:
        swap_pointer(writer, released, current)
    return released


def clean(writer: Writer, current: Manifest, now: datetime) -> int:
    """Delete what neither `current` nor a kept generation names and what is past its grace; say how many files.

    Only paths that this library writes are ever deleted.
    """
    objects = [each for place in ("generations/", "models/", "checkpoints/") for each in writer.list(place)]
    superseded = _past(iter(objects))
    kept = set(sorted(superseded, reverse=True)[:KEEP_GENERATIONS])
    kept |= {generation for generation, when in superseded.items() if when > now - GRACE}
    kept.add(current.generation)
    models = {current.model_path}
    for generation in kept & superseded.keys():
        past = writer.get(generation_folder(generation) + PAST_MANIFEST)
        models.add(Manifest.from_json(past.data, PAST_MANIFEST).model_path)
    unneeded = [
        each.key
        for each in objects
        if each.modified < now - GRACE and _generation_of(each.key) not in kept and each.key not in models
    ]
    writer.delete(unneeded)
    return len(unneeded)


def _past(objects: Iterator[ObjectInfo]) -> dict[str, datetime]:
    """When each past generation ceased to be the current one."""
    return {_generation_of(each.key): each.modified for each in objects if each.key.endswith(f"/{PAST_MANIFEST}")}


def _generation_of(path: str) -> str:
    place, _, rest = path.partition("/")
    return rest.partition("/")[0] if place == "generations" else ""

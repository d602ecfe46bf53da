"""The re-index functions' work: what events or a schedule ask for, handed to the rebuild."""

import logging
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from embeddings.rebuild import Shard, Summary, rebuild
from embeddings.storage.uri import StorageUri
from functions.log import FIELDS
from functions.reindex.events import ObjectEvent
from functions.settings import Settings

_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.25
"""Kept free for photos that are under way, for publishing and for the answer: a minute, of a short time a quarter."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What one run of the re-index is to look at."""

    keys: frozenset[str] | None
    """Of the gallery; None for all of it."""
    messages: int = 0
    """Sent for it so far, each by a run that could not finish it."""
    run: str | None = None
    """Of shards; then whoever asked for it goes on asking until it is finished."""
    shard: Shard | None = None
    """None to merge the run."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look at."""
        return self.keys is not None and not self.keys


WHOLE_GALLERY = Work(None)


def work_of(events: Iterable[ObjectEvent], gallery_uri: str) -> Work:
    """The objects that events name, as far as they are the gallery's.

    Events say that something happened, not what is there now: they may come late, twice or out of order.
    """
    gallery = StorageUri.parse(gallery_uri)
    place = f"{gallery.prefix}/" if gallery.prefix else ""
    return Work(
        frozenset(
            event.key.removeprefix(place)
            for event in events
            if event.bucket == gallery.bucket and event.key.startswith(place) and not event.key.endswith("/")
        )
    )


def work_of_run(event: Mapping[str, Any]) -> Work | None:
    """A shard of a run, {"run": "first", "shard": "3/16"}, or without `shard` its merge; None if it is another event.

    Raises:
        ValueError: no such shard.
    """
    if "run" not in event:
        return None
    shard = Shard.parse(str(event["shard"])) if "shard" in event else None
    return Work(None, run=str(event["run"]), shard=shard)


def merged(parts: Iterable[Work]) -> Work:
    """All in one; it counts as many messages as the part with the most, so that no chain grows by being merged."""
    keys: set[str] = set()
    whole, messages = False, 0
    for part in parts:
        whole = whole or part.keys is None
        keys |= part.keys or set()
        messages = max(messages, part.messages)
    return Work(None if whole else frozenset(keys), messages)


def bring_up_to_date(work: Work, settings: Settings, seconds: float = math.inf) -> Summary:
    """Rebuild as much as there is time for.

    Args:
        seconds: until the platform ends this run; `REINDEX_SECONDS` may allow less.

    Raises:
        GarmentSearchError: the published index is as it was; what was embedded is in the checkpoint.
    """
    seconds = min(seconds, settings.reindex_seconds)
    stop_at = time.monotonic() + seconds - min(_MARGIN_SECONDS, _MARGIN_SHARE * seconds)
    # Events of deleted photos say so one by one; a whole gallery that has vanished is rather another bucket's name.
    named = work.keys is not None
    summary = rebuild(
        settings.gallery_uri,
        settings.index_uri,
        keys=work.keys,
        run=work.run,
        shard=work.shard,
        stop_at=stop_at,
        may_empty=named,
        vector_bucket=settings.vector_bucket,
    )
    _log.info("rebuild", extra={FIELDS: summary.counts()})
    return summary

"""The re-index functions' work: what events or a schedule ask for, handed to the rebuild."""

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from embeddings.rebuild import Shard, Summary, rebuild
from functions.log import FIELDS
from functions.settings import ReindexSettings

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


def merged(parts: Iterable[Work]) -> Work:
    """All in one; it counts as many messages as the part with the most, so that no chain grows by being merged."""
    keys: set[str] = set()
    whole, messages = False, 0
    for part in parts:
        whole = whole or part.keys is None
        keys |= part.keys or set()
        messages = max(messages, part.messages)
    return Work(None if whole else frozenset(keys), messages)


def bring_up_to_date(work: Work, settings: ReindexSettings, seconds: float = math.inf) -> Summary:
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

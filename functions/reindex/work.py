"""The work of a re-index: what events or a schedule ask for, handed to the rebuild."""

import logging
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from embeddings.rebuild import FeedOptions, Shard, Summary, rebuild
from functions.log import FIELDS
from functions.settings import ReindexSettings

_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.25
"""The time kept for photos in progress, for publishing and for the answer: a minute, or a quarter of a short run."""
_ROWS_LOGGED = 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What one re-index is to look at."""

    keys: frozenset[str] | None
    """Keys of the gallery; None for all of it."""
    messages: int = 0
    """How many messages were sent for it so far, each by a re-index that could not finish it."""
    run: str | None = None
    """The run of shards it belongs to, if any. Whoever started the run asks again until it is finished."""
    shard: Shard | None = None
    """The shard of that run; None to merge them."""
    feed: bool = False
    """Whether the product feed was written. Every rebuild looks at it, but this one is not to be left out."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look at."""
        return self.keys is not None and not self.keys and not self.feed


WHOLE_GALLERY = Work(None)


def merged(parts: Iterable[Work]) -> Work:
    """Merge parts into one; its `messages` is the largest of theirs, so that merging does not lengthen a chain."""
    keys: set[str] = set()
    whole, messages, feed = False, 0, False
    for part in parts:
        whole = whole or part.keys is None
        keys |= part.keys or set()
        messages = max(messages, part.messages)
        feed = feed or part.feed
    return Work(None if whole else frozenset(keys), messages, feed=feed)


def bring_up_to_date(work: Work, settings: ReindexSettings, seconds: float = math.inf) -> Summary:
    """Rebuild as far as there is time.

    Args:
        seconds: the time until the platform ends this function; `REINDEX_SECONDS` may allow less.

    Raises:
        GarmentSearchError: the published index is unchanged; what was embedded is in the checkpoint.
    """
    seconds = min(seconds, settings.reindex_seconds)
    stop_at = time.monotonic() + seconds - min(_MARGIN_SECONDS, _MARGIN_SHARE * seconds)
    # Events name deleted photos one by one. A whole gallery that is gone is more likely a wrong bucket name.
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
        feed=FeedOptions(settings.feed_uri or None, settings.image_base_url or None, settings.hide_unlisted),
    )
    for each in summary.row_refusals[:_ROWS_LOGGED]:
        _log.warning("line %d of the feed, id %r: %s", each.line, each.id, each.reason)
    _log.info("rebuild", extra={FIELDS: summary.counts()})
    return summary

"""The re-index functions' work: what an event or a schedule asks for, handed to the rebuild."""

import logging
import os
from collections.abc import Iterable

from embeddings.rebuild import Summary, rebuild
from embeddings.storage.uri import StorageUri
from functions.events import ObjectEvent
from functions.log import FIELDS
from functions.settings import Settings

_log = logging.getLogger(__name__)


def reindex_all() -> Summary:
    """Bring the whole index up to date.

    Raises:
        GarmentSearchError, SettingsError: the published index is as it was.
    """
    settings = Settings.for_reindex(os.environ)
    return _logged(rebuild(settings.gallery_uri, settings.index_uri))


def reindex_objects(events: Iterable[ObjectEvent]) -> Summary | None:
    """Bring the index up to date for the objects that were written or deleted; None if none is the gallery's.

    Events say that something happened, not what is there now: they may come late, twice or out of order.

    Raises:
        GarmentSearchError, SettingsError: the published index is as it was; the event source tries again.
    """
    settings = Settings.for_reindex(os.environ)
    gallery = StorageUri.parse(settings.gallery_uri)
    place = f"{gallery.prefix}/" if gallery.prefix else ""
    keys = {
        event.key.removeprefix(place)
        for event in events
        if event.bucket == gallery.bucket and event.key.startswith(place) and not event.key.endswith("/")
    }
    return _logged(rebuild(settings.gallery_uri, settings.index_uri, keys=keys)) if keys else None


def _logged(summary: Summary) -> Summary:
    _log.info("rebuild", extra={FIELDS: summary.counts()})
    return summary

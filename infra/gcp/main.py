"""The three targets, at the root of the source, where Google's buildpack looks for them; `stage.sh` puts this there."""

from functions.main import reindex, reindex_scheduled, search

__all__ = ["reindex", "reindex_scheduled", "search"]

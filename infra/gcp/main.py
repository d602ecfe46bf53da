"""The functions' three targets; `stage.sh` copies this file to where Google's buildpack looks for them."""

from functions.main import reindex, reindex_scheduled, search

__all__ = ["reindex", "reindex_scheduled", "search"]

"""Rebuilding the index: list the gallery, compare, embed what is new or changed, publish."""

from embeddings.rebuild.product_feed import FeedOptions
from embeddings.rebuild.run import rebuild
from embeddings.rebuild.shard import Shard
from embeddings.rebuild.summary import Outcome, Summary

__all__ = ["FeedOptions", "Outcome", "Shard", "Summary", "rebuild"]

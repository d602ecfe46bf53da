"""The steps of a shard run on a small shop."""

from typing import Any

from embeddings.rebuild import Shard, Summary
from tests.rebuild.gallery import Shop

COLOURS = ["pink", "black", "navy", "olive", "teal", "gold", "grey", "orange", "purple", "brown"]
MANY = {f"{number}.jpg": colour for number, colour in enumerate(COLOURS)}


def shards(shop: Shop, count: int, **options: Any) -> list[Summary]:
    return [shard(shop, number, count, **options) for number in range(1, count + 1)]


def shard(shop: Shop, number: int, count: int, **options: Any) -> Summary:
    return shop.rebuild(**{"run": "first", "shard": Shard(number, count), **options})


def merge(shop: Shop, **options: Any) -> Summary:
    return shop.rebuild(**{"run": "first", **options})


def part(shop: Shop, number: int, count: int) -> str:
    path = f"runs/first/{number}-of-{count}.npz"
    assert path in shop.paths("runs/")
    return path

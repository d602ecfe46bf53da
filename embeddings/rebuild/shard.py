"""Shards: shares of the gallery for several machines."""

import hashlib
from dataclasses import dataclass

MOST_SHARDS = 10_000


@dataclass(frozen=True)
class Shard:
    """One of `count` shares, numbered from 1. The key and the count alone decide which share a key belongs to."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read "3/16".

        Raises:
            ValueError: the form is another, or there is no such shard.
        """
        number, slash, count = text.partition("/")
        if not (slash and all(each.isascii() and each.isdigit() and len(each) < 9 for each in (number, count))):
            raise ValueError(f"{text!r} is not a shard; give its number and how many there are, such as 3/16")
        shard = cls(int(number), int(count))
        if not 1 <= shard.count <= MOST_SHARDS:
            raise ValueError(f"{text!r} is not a shard: there must be from 1 to {MOST_SHARDS:,} of them")
        if not 1 <= shard.number <= shard.count:
            raise ValueError(f"{text!r} is not a shard: they go from 1/{shard.count} to {shard.count}/{shard.count}")
        return shard

    def __contains__(self, key: str) -> bool:
        # Not `hash`, which differs between processes. Names in a local folder may not be Unicode.
        digest = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

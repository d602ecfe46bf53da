"""What a rebuild reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from embeddings.index.sources import Sources


class Outcome(StrEnum):
    """How a rebuild ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    HELD = "held"
    """The index was rolled back and is held there; nothing was looked at."""
    UNFINISHED = "unfinished"
    """The time was over: what is done is in the checkpoint, and nothing is published."""
    SHARD_DONE = "shard done"
    """What this shard had to embed lies in its run, and nothing is published: the counts are those of its share."""
    DRY_RUN = "dry run"


@dataclass(frozen=True)
class Summary:
    """What a rebuild did; of a dry run: what it would do, if every new photo can be read."""

    outcome: Outcome
    generation: str | None
    """The one that is current now; None if there is none."""
    count: int
    added: int
    changed: int
    removed: int
    failed: int
    """Objects of the gallery that cannot be read."""
    failed_new: int
    """Those of them that the last generation did not know yet."""
    embedded: int
    """Photos read in this run; what a checkpoint already held is not among them."""
    remaining: int
    """Photos still to be embedded, if unfinished."""
    seconds: float
    refusals: Mapping[str, str]
    """Why, by key."""

    def counts(self) -> dict[str, object]:
        """All but the list of refusals, which may be long."""
        return {name: value for name, value in asdict(self).items() if name != "refusals"}


def summarize(
    outcome: Outcome,
    generation: str | None,
    before: Sources,
    after: Sources,
    embedded: int,
    remaining: int,
    seconds: float,
) -> Summary:
    """Count what differs between two generations' sources."""
    return Summary(
        outcome=outcome,
        generation=generation,
        count=len(after.etags),
        added=len(after.etags.keys() - before.etags.keys()),
        changed=sum(before.etags.get(key, etag) != etag for key, etag in after.etags.items()),
        removed=len(before.etags.keys() - after.etags.keys()),
        failed=len(after.refusals),
        failed_new=sum(before.refusals.get(key) != refusal for key, refusal in after.refusals.items()),
        embedded=embedded,
        remaining=remaining,
        seconds=round(seconds, 3),
        refusals={key: refusal.reason for key, refusal in sorted(after.refusals.items())},
    )

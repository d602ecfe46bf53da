"""The report of a rebuild."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from embeddings.index.sources import Sources


class Outcome(StrEnum):
    """How a rebuild ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    HELD = "held"
    """The index was rolled back and is held there. The rebuild looked at nothing."""
    UNFINISHED = "unfinished"
    """Time was up. What is done is in the checkpoint, and nothing is published."""
    SHARD_DONE = "shard done"
    """This shard's results lie in its run, and nothing is published. The counts are those of its share."""
    DRY_RUN = "dry run"


@dataclass(frozen=True)
class Summary:
    """A rebuild's work, or the work that a dry run expects if every new photo can be read."""

    outcome: Outcome
    generation: str | None
    """The current one; None if there is none."""
    count: int
    added: int
    changed: int
    removed: int
    failed: int
    """Objects of the gallery that cannot be indexed."""
    failed_new: int
    """The ones among them that the last generation did not know."""
    embedded: int
    """Photos read by this rebuild, without those that a checkpoint already held."""
    remaining: int
    """Photos still to be embedded if the outcome is `UNFINISHED`."""
    seconds: float
    refusals: Mapping[str, str]
    """The reasons, by key."""

    def counts(self) -> dict[str, object]:
        """Return everything but the refusals, which may be many."""
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
    """Count the differences between the sources of two generations."""
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

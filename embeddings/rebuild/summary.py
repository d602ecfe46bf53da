"""The report of a rebuild."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from embeddings.index.sources import FeedState, Sources
from embeddings.products.records import RowRefusal


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
    products: int = 0
    """Photos that show a product of the feed."""
    hidden: int = 0
    """Photos that searches do not find, as the feed does not list them."""
    rows_failed: int = 0
    """Rows of the feed that cannot be used."""
    rows_failed_new: int = 0
    """The ones among them that the last generation did not know."""
    left_out: Sequence[str] = ()
    """Columns of the feed that do not fit into the metadata of some photos in S3 Vectors."""
    feed_problem: str = ""
    """Why the feed could not be used, and the one before was."""
    row_refusals: Sequence[RowRefusal] = ()
    """The first rows that cannot be used, with the reasons."""

    def counts(self) -> dict[str, object]:
        """Return everything but the refusals, which may be many, as JSON has it."""
        counts = {name: value for name, value in asdict(self).items() if name not in ("refusals", "row_refusals")}
        return counts | {"left_out": list(self.left_out)}


def summarize(
    outcome: Outcome,
    generation: str | None,
    before: Sources,
    after: Sources,
    embedded: int,
    remaining: int,
    seconds: float,
    feed_problem: str,
) -> Summary:
    """Count the differences between the sources of two generations."""
    feed = after.feed or FeedState("", "")
    return Summary(
        outcome=outcome,
        generation=generation,
        count=len(after.shown),
        added=len(after.etags.keys() - before.etags.keys()),
        changed=sum(before.etags.get(key, etag) != etag for key, etag in after.etags.items()),
        removed=len(before.etags.keys() - after.etags.keys()),
        failed=len(after.refusals),
        failed_new=sum(before.refusals.get(key) != refusal for key, refusal in after.refusals.items()),
        embedded=embedded,
        remaining=remaining,
        seconds=round(seconds, 3),
        refusals={key: refusal.reason for key, refusal in sorted(after.refusals.items())},
        products=feed.products,
        hidden=len(after.hidden),
        rows_failed=feed.rows_failed,
        rows_failed_new=_new_row_refusals(before.feed, feed),
        feed_problem=feed_problem,
        row_refusals=feed.refusals,
        left_out=feed.left_out,
    )


def _new_row_refusals(before: FeedState | None, after: FeedState) -> int:
    """Count the rows that cannot be used, and could be before. A row is known by its id, as its line moves."""
    known = {(each.id, each.reason) for each in before.refusals} if before else set()
    return sum((each.id, each.reason) not in known for each in after.refusals)

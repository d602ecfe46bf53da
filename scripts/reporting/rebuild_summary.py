"""Describe a rebuild for a terminal."""

from embeddings.rebuild import Summary

_REFUSALS_SHOWN = 10


def summary_text(summary: Summary, subject: str = "the index") -> str:
    """Return a line with the counts, and one line for each photo that could not be read, up to ten."""
    counts = f"{summary.added} added, {summary.changed} changed, {summary.removed} removed, {summary.failed} failed"
    if summary.failed_new:
        counts += f" ({summary.failed_new} of them new)"
    rate = f", {summary.embedded / summary.seconds:.0f} photos/s" if summary.embedded else ""
    refusals = [f"  {key!r}: {reason}" for key, reason in summary.refusals.items()]
    if len(refusals) > _REFUSALS_SHOWN:
        refusals[_REFUSALS_SHOWN:] = [
            f"  and {len(refusals) - _REFUSALS_SHOWN} more; scripts/rebuild_embeddings.py --json lists all"
        ]
    text = f"{summary.outcome}: {counts}; {summary.count} images in {subject}; {summary.seconds:.1f} s{rate}"
    return "\n".join([text, *refusals])

"""Describe a rebuild for a terminal."""

from embeddings.rebuild import Summary

_REFUSALS_SHOWN = 10


def summary_text(summary: Summary, subject: str = "the index") -> str:
    """Return a line with the counts, and one for each photo or row of the feed that could not be read, up to ten."""
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
    return "\n".join([text, *refusals, *_feed_lines(summary)])


def _feed_lines(summary: Summary) -> list[str]:
    """Say what became of the product feed, if there is one."""
    lines = [f"feed not used: {summary.feed_problem}"] if summary.feed_problem else []
    if summary.products or summary.rows_failed:
        text = f"feed: {summary.products} images show a product, {summary.rows_failed} rows failed"
        if summary.rows_failed_new:
            text += f" ({summary.rows_failed_new} of them new)"
        lines.append(text + (f", {summary.hidden} images hidden" if summary.hidden else ""))
    if summary.left_out:
        lines.append(f"feed: columns that do not fit into S3 Vectors for some images: {', '.join(summary.left_out)}")
    shown = summary.row_refusals[:_REFUSALS_SHOWN]
    lines += [f"  line {each.line}{f', {each.id!r}' if each.id else ''}: {each.reason}" for each in shown]
    if summary.rows_failed > len(shown):
        lines.append(f"  and {summary.rows_failed - len(shown)} more; scripts/rebuild_embeddings.py --json lists them")
    return lines

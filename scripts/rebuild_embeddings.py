"""Bring an index up to date with its gallery: embed new and changed photos, drop deleted ones, publish.

    python scripts/rebuild_embeddings.py --gallery s3://shop-photos --index s3://shop-index
    python scripts/rebuild_embeddings.py --gallery photos/ --index index/ --dry-run
    python scripts/rebuild_embeddings.py --index s3://shop-index --rollback

Several machines can each embed a share of a large gallery; one of them then publishes the index:

    python scripts/rebuild_embeddings.py --gallery s3://shop-photos --index s3://shop-index --run first --shard 3/16
    python scripts/rebuild_embeddings.py --gallery s3://shop-photos --index s3://shop-index --merge first

With nothing to do, it publishes nothing. After an interruption, the same command continues where it stopped.
"""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tqdm.contrib.logging import logging_redirect_tqdm

from embeddings.index.history import past_generations, release, rollback
from embeddings.rebuild import FeedOptions, Outcome, Shard, rebuild
from embeddings.rebuild.shard_run import run_problem
from embeddings.storage.writers import open_writer
from scripts.cli.command import FAILED, command_parser, run_command
from scripts.cli.progress import embedding_progress
from scripts.reporting.rebuild_summary import summary_text

_EXIT_UNREADABLE, _EXIT_HELD = 3, 4
_EXIT_CODES = {
    0: "the index is up to date; after --shard: the share is written, even if some photos could not be read",
    FAILED: "failed; the last line on stderr says why, and the index is unchanged",
    _EXIT_UNREADABLE: "the index is up to date, but photos or rows of the feed could not be read that the last "
    "generation did not list, or the feed could not be used at all",
    _EXIT_HELD: "the index is held after a rollback",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.rollback or options.release:
        others = (options.gallery, options.model, options.prefix, options.run, options.vector_bucket, options.full)
        products = (options.feed, options.image_base_url, options.unlisted)
        if any(others) or any(products) or options.dry_run or options.json:
            parser.error("--rollback and --release take no other option than --index")
    elif options.gallery is None:
        parser.error("--gallery is needed")
    elif bool(options.shard) != bool(options.run):
        parser.error("--shard needs --run and --run needs --shard; to publish a run, give --merge alone")
    elif options.dry_run and (options.shard or options.merge):
        parser.error("--dry-run does not work with --shard or --merge")
    # Warnings of the library are for people too.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if options.rollback or options.release:
        return run_command(lambda: _change_pointer(options))
    return run_command(
        lambda: _rebuild(options), interrupted="interrupted; run the same command again to continue from the checkpoint"
    )


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__, _EXIT_CODES)
    parser.add_argument(
        "--gallery", metavar="URI", help="the photos: s3://bucket/prefix, gs://bucket/prefix or a folder"
    )
    parser.add_argument("--index", metavar="URI", required=True, help="the index; it must not be inside the gallery")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a .tflite file (default: the index's model; for a new index the bundled one)",
    )
    parser.add_argument("--prefix", default="", metavar="FOLDER", help="update this folder of the gallery only")
    parser.add_argument(
        "--vector-bucket",
        default="",
        metavar="NAME",
        help="keep the vectors in this bucket of Amazon S3 Vectors (default: where they are now)",
    )
    parser.add_argument(
        "--feed",
        metavar="URI",
        help="a product feed in CSV, TSV or XML; none takes the products out (default: the one that the index was made "
        "with; at first feed.csv at the gallery's root)",
    )
    parser.add_argument(
        "--image-base-url",
        metavar="URL",
        help="the gallery's public address: links in the feed below it are paths of photos (default: as last time)",
    )
    parser.add_argument(
        "--unlisted",
        choices=("keep", "hide"),
        help="whether searches find photos that the feed does not list (default: as last time; at first keep)",
    )
    parser.add_argument("--full", action="store_true", help="embed everything again; also replaces a damaged index")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument(
        "--run", type=_run_id, metavar="ID", help="with --shard: a name that all shards of one run share"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="embed the I-th of N shares of the gallery, and publish nothing; safe to repeat",
    )
    instead.add_argument("--merge", type=_run_id, metavar="ID", help="publish what all shards of this run embedded")
    instead.add_argument(
        "--rollback",
        nargs="?",
        const="previous",
        metavar="GENERATION",
        help="return to a past generation (default: the previous one) and hold it until --release",
    )
    instead.add_argument("--release", action="store_true", help="let rebuilds publish again after --rollback")
    return parser


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _run_id(text: str) -> str:
    if problem := run_problem(text):
        raise argparse.ArgumentTypeError(problem)
    return text


def _rebuild(options: argparse.Namespace) -> int:
    with logging_redirect_tqdm(), embedding_progress() as progress:
        summary = rebuild(
            options.gallery,
            options.index,
            model=options.model,
            prefix=options.prefix,
            run=options.merge or options.run,
            shard=options.shard,
            full=options.full,
            dry_run=options.dry_run,
            vector_bucket=options.vector_bucket,
            feed=FeedOptions(
                options.feed, options.image_base_url, None if options.unlisted is None else options.unlisted == "hide"
            ),
            progress=progress,
        )
    if options.json:
        rows = [asdict(each) for each in summary.row_refusals]
        print(json.dumps({**summary.counts(), "failures": summary.refusals, "row_failures": rows}))
    elif options.shard:
        print(f"{summary_text(summary, 'this shard')}\nrun: {options.run}, shard {options.shard}")
    else:
        print(f"{summary_text(summary)}\ngeneration: {summary.generation}")
    if summary.outcome is Outcome.HELD:
        return _EXIT_HELD
    # A batch system would repeat the shard; the merge reports its unreadable photos.
    unreadable = summary.failed_new or summary.rows_failed_new or summary.feed_problem
    return _EXIT_UNREADABLE if unreadable and not options.shard else 0


def _change_pointer(options: argparse.Namespace) -> None:
    writer = open_writer(options.index)
    if options.release:
        print(f"released: generation {release(writer).generation}; the next rebuild publishes again")
        return
    manifest = rollback(writer, None if options.rollback == "previous" else options.rollback)
    print(f"rolled back to generation {manifest.generation}, built {manifest.built_at}; held until --release")
    others = [each for each in past_generations(writer) if each != manifest.generation]
    print(f"other generations: {', '.join(others)}")


if __name__ == "__main__":
    sys.exit(main())

"""What all commands share: how they look under --help, how they end, and one line in place of a stack trace."""

import argparse
import sys
from collections.abc import Callable, Mapping

from embeddings.errors import GarmentSearchError

FAILED, INTERRUPTED = 1, 130

_EXIT_CODES = {
    0: "done",
    FAILED: "failed; the last line on stderr says why",
    2: "wrong usage",
    INTERRUPTED: "interrupted (Ctrl-C)",
}


def command_parser(description: str | None, exit_codes: Mapping[int, str] | None = None) -> argparse.ArgumentParser:
    """A parser whose --help is the script's docstring, examples included, then the options, then the exit codes.

    Args:
        description: the script's `__doc__`.
        exit_codes: its own, beside or in place of those that all commands have.
    """
    codes = sorted((_EXIT_CODES | dict(exit_codes or {})).items())
    return argparse.ArgumentParser(
        description=description,
        epilog="exit codes:\n" + "\n".join(f"  {code:<3} {meaning}" for code, meaning in codes),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run_command(
    command: Callable[[], int | None],
    *,
    interrupted: str = "interrupted",
    errors: tuple[type[Exception], ...] = (),
) -> int:
    """Run what a command does after its options are read; a mistake of its user becomes one line on stderr.

    What is nobody's mistake but the program's keeps its stack trace.

    Args:
        command: returns an exit code, or None for 0.
        interrupted: what to say at Ctrl-C: what is left, and how to go on.
        errors: whose messages are for people too, beside this library's and those of files.

    Returns:
        The exit code.
    """
    try:
        return command() or 0
    except GarmentSearchError as error:
        message = str(error)
    except errors as error:
        message = str(error)
    except OSError as error:
        if error.filename is None:
            raise
        message = f"{error.filename}: {error.strerror}"
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        return INTERRUPTED
    print(f"error: {message}", file=sys.stderr)
    return FAILED


def positive(text: str) -> int:
    """An option's whole number above 0."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)

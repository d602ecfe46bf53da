"""How every command looks under --help, how it ends, and how a user's mistake becomes one line."""

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
    """Make a parser whose --help shows the script's docstring with its examples, the options, and the exit codes.

    Args:
        description: the script's `__doc__`.
        exit_codes: the command's own; they add to the common ones or replace them.
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
    """Run a command once its options are parsed, and report a user's mistake in one line on stderr.

    Any other exception is a bug and keeps its stack trace.

    Args:
        command: returns an exit code, or None for 0.
        interrupted: what to print on Ctrl-C: the state that is left, and how to continue.
        errors: exceptions whose messages are written for users, besides the library's own and those about files.

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

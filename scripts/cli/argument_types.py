"""Types for options of several commands; argparse turns their errors into a usage message."""

import argparse
import math


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def number(text: str) -> float:
    """Parse a number; return NaN for anything else, so that a check of the range refuses it too."""
    try:
        return float(text)
    except ValueError:
        return math.nan

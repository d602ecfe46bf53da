"""The kinds of numbers that a converted file holds. No Keras in here, for `scripts/convert.py --help`."""

from typing import Literal, get_args

Kind = Literal["fp32", "fp16", "dynamic", "int8"]
KINDS: tuple[Kind, ...] = get_args(Kind)

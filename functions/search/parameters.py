"""The search parameters of a request, read and checked."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from embeddings.errors import ConditionError
from embeddings.preprocess import WHOLE_PHOTO, Box, checked_box
from functions.search.given import Given
from functions.search.problems import RequestError

if TYPE_CHECKING:
    from embeddings.products.column import ColumnSummary

GROUP_BY = "product"
MAX_FIELDS, MAX_FACETS = 200, 8
MAX_K = 100
MAX_DEPTH = 1_000
"""The largest offset + k."""

# Nobody means the other texts that `float` accepts: nan, 1_0, digits of other scripts. The quantifiers are possessive
# (`++`): with backtracking, 65,000 digits and a letter would take two minutes, during which no other thread runs.
_DECIMAL = re.compile(r"[+-]?([0-9]++\.?[0-9]*+|\.[0-9]++)(e[+-]?[0-9]++)?", re.IGNORECASE)

_BOX_RULE = "box must be x,y,w,h as fractions of the upright photo, within 0-1 and at least 0.01 wide and high"


@dataclass(frozen=True)
class SearchParameters:
    """The parameters that every search takes."""

    k: int = 16
    offset: int = 0
    prefix: str = ""
    min_score: float | None = None
    dedupe: float | None = None
    where: tuple[str, ...] = ()
    group: str | None = None
    fields: tuple[str, ...] | None = None
    """None for all."""
    facets: tuple[str, ...] = ()

    def stated(self) -> dict[str, Any]:
        """Return every parameter with its value, defaults included, for the answer's `query`."""
        return asdict(self)

    def options(self, columns: "Sequence[ColumnSummary]") -> dict[str, Any]:
        """Return the arguments of `SearchableGallery.search` for a gallery whose products have these columns.

        Raises:
            RequestError: 400, `where` or `facets` does not fit the columns.
        """
        fields = None if self.fields is None else frozenset(self.fields)
        options = {**asdict(self), "where": (), "group": self.group == GROUP_BY, "fields": fields}
        if self.where or self.facets:
            from embeddings.products.where import known_column, parse_where  # most requests need neither

            try:
                name = "where"
                options["where"] = parse_where(self.where, columns)
                name = "facets"
                for facet in self.facets:
                    known_column(facet, columns)
            except ConditionError as error:
                raise _wrong(name, f"{name}: {error}") from error
        return options


def search_parameters(given: Mapping[str, str]) -> SearchParameters:
    """Read the parameters of a search; ignore others, and treat an empty one as not given, except for `fields`.

    Raises:
        RequestError: 400.
    """
    parameters = SearchParameters(
        k=_whole(given, "k", 16, least=1, most=MAX_K),
        offset=_whole(given, "offset", 0, least=0, most=MAX_DEPTH - 1),
        prefix=given.get("prefix", ""),
        min_score=_number(given, "min_score", least=-1.0, most=1.0),
        dedupe=_number(given, "dedupe", least=0.0, most=1.0),
        where=tuple(text for text in _every(given, "where") if text),
        group=_group(given),
        fields=_names(given, "fields", MAX_FIELDS) if "fields" in given else None,
        facets=_names(given, "facets", MAX_FACETS),
    )
    if parameters.offset + parameters.k > MAX_DEPTH:
        raise _wrong("offset", f"offset + k must be at most {MAX_DEPTH}")
    return parameters


def box_parameter(given: Mapping[str, str]) -> Box:
    """Read `box=x,y,w,h`; return the whole photo if it is not given.

    Raises:
        RequestError: 400.
    """
    text = given.get("box")
    if not text:
        return WHOLE_PHOTO
    try:
        return checked_box([_decimal(part.strip()) for part in text.split(",")])
    except ValueError as error:
        raise _wrong("box", _BOX_RULE) from error


def _every(given: Mapping[str, str], name: str) -> Sequence[str]:
    return given.every.get(name, ()) if isinstance(given, Given) else [given[name]] if name in given else ()


def _group(given: Mapping[str, str]) -> str | None:
    group = given.get("group") or None
    if group not in (None, GROUP_BY):
        raise _wrong("group", f"group must be {GROUP_BY}")
    return group


def _names(given: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(each for part in given.get(name, "").split(",") if (each := part.strip())))
    if len(names) > most:
        raise _wrong(name, f"{name} must be the names of at most {most} columns, with commas between them")
    return names


def _whole(given: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = given.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise _wrong(name, f"{name} must be a whole number from {least} to {most}")
    return int(text)


def _number(given: Mapping[str, str], name: str, *, least: float, most: float) -> float | None:
    text = given.get(name)
    if not text:
        return None
    try:
        value = _decimal(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise _wrong(name, f"{name} must be a number from {least:g} to {most:g}")
    return value


def _decimal(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _wrong(name: str, rule: str) -> RequestError:
    return RequestError(400, "parameter-invalid", f"The parameter {name} is invalid", f"{rule}.")

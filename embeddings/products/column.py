"""A column of the products: a value, several or none for each. What filters compare is a typed array."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.products.product import Price, Value
from embeddings.products.vocabulary import Vocabulary, fold, joined

Type = Literal["text", "list", "number", "price"]
Arrays = Mapping[str, NDArray[Any]]
Mask = NDArray[np.bool_]

FEW_VALUES, SHORT = 10, 80
"""How many of its most frequent texts describe a column, and how many characters these have at most."""


class ColumnSummary(NamedTuple):
    """A column as `/v1/index` lists it."""

    name: str
    type: Type
    values: tuple[str, ...] = ()
    """Its most frequent texts, or a price's currencies."""
    least: float | None = None
    most: float | None = None
    """The range of its numbers."""

    @property
    def numeric(self) -> bool:
        """Whether filters compare it with ranges."""
        return self.type in ("number", "price")


class TextColumn:
    """One text, or a list of texts, for each product, as codes of a vocabulary."""

    def __init__(self, name: str, arrays: Arrays, products: int) -> None:
        """Take the column's arrays, which `text_arrays` has made.

        Args:
            name: the column's.
            arrays: by name, those of all columns.
            products: how many there are.

        Raises:
            ValueError, KeyError: arrays are missing or do not fit each other.
        """
        self.name = name
        self.vocabulary = Vocabulary(arrays[f"{name}.text"], arrays[f"{name}.offsets"])
        self.codes: NDArray[np.unsignedinteger] = arrays[f"{name}.codes"]
        self.owners: NDArray[np.int32] | None = arrays.get(f"{name}.owners")
        """The product of each code, ascending, in a column of lists."""
        self._respelled: NDArray[np.unsignedinteger] = arrays.get(f"{name}.respelled", np.empty(0, np.uint32))
        self._products = products
        _check_codes(self.codes, self.owners, len(self.vocabulary), products)

    def holds(self, texts: Sequence[str]) -> Mask:
        """Say which products have at least one of these texts, which are folded."""
        wanted = np.zeros(len(self.vocabulary) + 1, bool)
        for text in texts:
            codes = self.vocabulary.codes(text)
            wanted[codes.start : codes.stop] = True
        return self._with(wanted)

    def has_word(self, word: str) -> Mask:
        """Say which products have a text with this word, which is in lower case."""
        wanted = np.zeros(len(self.vocabulary) + 1, bool)
        wanted[self.vocabulary.containing(word)] = True
        return self._with(wanted)

    def _with(self, wanted: Mask) -> Mask:
        hits: Mask = wanted[self.codes]
        if self.owners is None:
            return hits
        holds = np.zeros(self._products, bool)
        holds[self.owners[hits]] = True
        return holds

    def value(self, product: int) -> str | list[str] | None:
        """Return a product's value for JSON."""
        if self.owners is None:
            code = self.codes.data[product]
            return self.vocabulary[code] if code < len(self.vocabulary) else None
        first = bisect_left(self.owners.data, product)
        end = bisect_left(self.owners.data, product + 1, first)
        return [self.vocabulary[code] for code in self.codes[first:end].tolist()] or None

    def counts(self, weights: NDArray[np.integer]) -> NDArray[np.int64]:
        """Count each code, with a weight for each product."""
        each = weights if self.owners is None else weights[self.owners]
        return np.bincount(self.codes, each, len(self.vocabulary) + 1)[:-1].astype(np.int64)

    def spellings(self) -> NDArray[np.int64]:
        """Return the first code of each text; the codes up to the next are its other spellings."""
        first = np.ones(len(self.vocabulary), bool)
        first[self._respelled] = False
        return np.flatnonzero(first)

    def summary(self, weights: NDArray[np.integer] | None = None) -> ColumnSummary:
        """Describe the column; each product counts once, or with its weight."""
        counts = self.counts(np.ones(self._products, np.int64) if weights is None else weights)
        if len(counts) > FEW_VALUES:
            counts[counts == 1] = 0  # titles and links say nothing about a column
        values = [self.vocabulary[code] for code in most_frequent(counts, FEW_VALUES)]
        short = tuple(value for value in values if len(value) <= SHORT)
        return ColumnSummary(self.name, "text" if self.owners is None else "list", short)


class NumberColumn:
    """One number for each product, NaN where there is none; a price has a currency too."""

    def __init__(self, name: str, arrays: Arrays, products: int) -> None:
        """Take the column's arrays, which `number_arrays` has made; see `TextColumn`."""
        self.name = name
        self.numbers: NDArray[np.float64] = arrays[f"{name}.numbers"]
        self._currency = TextColumn(name, arrays, products) if f"{name}.codes" in arrays else None
        if len(self.numbers) != products:
            raise ValueError(f"there are {len(self.numbers)} numbers for {products} products")

    def within(self, ranges: Sequence[tuple[float, float]]) -> Mask:
        """Say which products have a number in one of the ranges, ends included."""
        held = np.zeros(len(self.numbers), bool)
        for least, most in ranges:
            held |= (self.numbers >= least) & (self.numbers <= most)
        return held

    def value(self, product: int) -> float | dict[str, Any] | None:
        """Return a product's value for JSON."""
        number = float(self.numbers[product])
        if math.isnan(number):
            return None
        return number if self._currency is None else {"value": number, "currency": self._currency.value(product)}

    def summary(self) -> ColumnSummary:
        """Describe the column."""
        least, most = number_range(self.numbers)
        if self._currency is None:
            return ColumnSummary(self.name, "number", (), least, most)
        return ColumnSummary(self.name, "price", self._currency.summary().values, least, most)


Column = TextColumn | NumberColumn


def open_column(name: str, arrays: Arrays, products: int) -> Column:
    """Take a column's arrays, which `column_arrays` has made.

    Raises:
        ValueError, KeyError: arrays are missing or do not fit each other.
    """
    return (NumberColumn if f"{name}.numbers" in arrays else TextColumn)(name, arrays, products)


def column_arrays(name: str, values: Sequence[Value | None]) -> Arrays:
    """Make a column's arrays of one value or None for each product.

    Raises:
        TypeError: the column holds both texts and numbers.
    """
    given = [value for value in values if value is not None]
    if all(isinstance(value, str | tuple) for value in given):
        return text_arrays(name, values)  # type: ignore[arg-type]
    if all(isinstance(value, float | int | Price) for value in given):
        return number_arrays(name, values)  # type: ignore[arg-type]
    raise TypeError(f"the column {name} holds both texts and numbers")


def text_arrays(name: str, values: Sequence[str | tuple[str, ...] | None]) -> Arrays:
    """Make a column's arrays of one text, one list or None for each product."""
    lists = [() if value is None else (value,) if isinstance(value, str) else value for value in values]
    folded = {text: fold(text) for text in {text for texts in lists for text in texts}}
    ordered = sorted(folded, key=lambda text: (folded[text], text))
    code_of = {text: code for code, text in enumerate(ordered)}
    text, offsets = joined(ordered)
    arrays: dict[str, NDArray[Any]] = {f"{name}.text": text, f"{name}.offsets": offsets}
    respelled = [code for code in range(1, len(ordered)) if folded[ordered[code]] == folded[ordered[code - 1]]]
    if respelled:
        arrays[f"{name}.respelled"] = np.array(respelled, np.uint32)
    missing = len(ordered)
    dtype = np.min_scalar_type(missing)
    if any(isinstance(value, tuple) for value in values):
        lists = [_distinct(texts, folded) for texts in lists]
        owners = np.arange(len(lists), dtype=np.int32)
        arrays[f"{name}.owners"] = np.repeat(owners, [len(texts) for texts in lists])
        arrays[f"{name}.codes"] = np.array([code_of[text] for texts in lists for text in texts], dtype)
    else:
        arrays[f"{name}.codes"] = np.array([code_of[texts[0]] if texts else missing for texts in lists], dtype)
    return arrays


def _distinct(texts: tuple[str, ...], folded: Mapping[str, str]) -> tuple[str, ...]:
    """Leave out texts that repeat an earlier one, in whatever spelling: each counts once."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(folded[text], text)
    return tuple(first.values())


def number_arrays(name: str, values: Sequence[float | Price | None]) -> Arrays:
    """Make a column's arrays of one number, one price or None for each product."""
    numbers = [np.nan if value is None else value.value if isinstance(value, Price) else value for value in values]
    arrays: Arrays = {f"{name}.numbers": np.array(numbers, np.float64)}
    if not any(isinstance(value, Price) for value in values):
        return arrays
    currencies = [value.currency if isinstance(value, Price) else None for value in values]
    return {**arrays, **text_arrays(name, currencies)}


def most_frequent(counts: NDArray[np.int64], most: int) -> list[int]:
    """Return the places of the highest counts above 0, highest first, equal ones in their order."""
    least = 0 if len(counts) <= most else int(np.partition(counts, -most)[-most])
    above = np.flatnonzero(counts > least)
    equal = np.flatnonzero(counts == least)[: most - len(above)] if least else above[:0]
    places = np.concatenate([above, equal])
    ranked: list[int] = places[np.argsort(-counts[places], kind="stable")].tolist()
    return ranked


def number_range(numbers: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the least and the greatest number, None and None if all are NaN."""
    present = numbers[~np.isnan(numbers)]
    return (float(present.min()), float(present.max())) if len(present) else (None, None)


def _check_codes(codes: NDArray[Any], owners: NDArray[Any] | None, missing: int, products: int) -> None:
    expected = products if owners is None else len(owners)
    if len(codes) != expected or (expected and codes.max() > missing):
        raise ValueError("codes do not fit the vocabulary or the products")
    if owners is None or not len(owners):
        return
    if owners[0] < 0 or owners[-1] >= products or (owners[1:] < owners[:-1]).any():
        raise ValueError("a list belongs to no product")

"""The values of a product, read from the cells of a feed.

https://support.google.com/merchants/answer/7052112
"""

import re
from collections.abc import Mapping

from embeddings.products.product import Price, Value

MOST_CHARACTERS = 5_000
"""The limit of a description, the longest text in the specification. Each text lies in a function's memory."""

LISTS = {"color": "/", "material": "/", "pattern": "/", "product_type": ">", "google_product_category": ">"}
"""What separates the texts of a list. A size is a list, too, but holds more than one only once variants are joined."""
PRICES = {"price", "sale_price"}
LEFT_OUT = {
    *("id", "item_group_id", "key", "image_link", "additional_image_link"),
    # Long, and no filter needs it: 60,000 would be larger than their photos' vectors.
    "description",
    # What a shop tells an advertiser only. All that is kept, anybody can read.
    *("cost_of_goods_sold", "auto_pricing_min_price"),
}
_TEXTS = {
    *("title", "link", "mobile_link", "availability", "brand", "size", "gender", "age_group", "condition"),
    *("gtin", "mpn", "size_system", "size_type", *(f"custom_label_{number}" for number in range(5))),
}
"""Texts even if they look like numbers. Other columns hold numbers if all their values are numbers."""

_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\d+,\d{1,2}"
_PRICE = re.compile(rf"(?:(?P<before>[A-Z]{{3}})\s*)?(?P<amount>{_AMOUNT})(?:\s*(?P<after>[A-Z]{{3}}))?", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,9})?", re.ASCII)
"""No longer than a quantity is. Article numbers such as GTINs, with leading zeros or more digits, are texts."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINKS = ("https://", "http://")
"""Pages link to them, so none may be a script."""
_SPELLINGS = {"instock": "in_stock", "outofstock": "out_of_stock"}


def values_of(cells: Mapping[str, str]) -> dict[str, Value]:
    """Read all cells that results and filters can use. Numbers are still texts: one row does not show the type.

    Raises:
        ValueError: a cell cannot be used; the text says which one and why.
    """
    values: dict[str, Value] = {}
    for name, cell in cells.items():
        if name in LEFT_OUT:
            continue
        text = plain(cell)
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"{name} has {len(text):,} characters, the limit is {MOST_CHARACTERS:,}")
        value: Value = text
        if text and (name == "link" or name.endswith("_link")) and not text.lower().startswith(_LINKS):
            raise ValueError(f"{name} is {text[:50]!r}: give an address that begins with https:// or http://")
        if name in PRICES:
            value = _price(name, text)
        elif name in LISTS:
            value = tuple(dict.fromkeys(part for each in text.split(LISTS[name]) if (part := each.strip())))
        elif name == "size":
            value = (text,)
        elif name == "availability":
            value = re.sub(r"[\s-]+", "_", text.lower())
            value = _SPELLINGS.get(value, value)
        if value not in ("", ()):
            values[name] = value
    return values


def plain(cell: str) -> str:
    """Make one line of a cell, without control characters."""
    if not cell.isprintable():
        cell = _UNPRINTABLE.sub(" ", cell)
    return " ".join(cell.split())


def is_number(name: str, value: Value) -> bool:
    """Say whether a value of this column could be a number."""
    return isinstance(value, str) and name not in _TEXTS and _NUMBER.fullmatch(value) is not None


def _price(name: str, text: str) -> Price | str:
    if not text:
        return ""
    found = _PRICE.fullmatch(text)
    if found is None or (found["before"] is None) == (found["after"] is None):
        raise ValueError(f"{name} is {text[:50]!r}: give a number and a currency, such as 15.00 USD")
    amount = found["amount"]
    # A comma before one or two digits at the end is a decimal point; one before three separates thousands.
    amount = amount.replace(",", ".") if re.search(r",\d{1,2}$", amount) else amount.replace(",", "")
    return Price(float(amount), found["before"] or found["after"])

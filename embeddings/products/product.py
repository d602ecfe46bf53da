"""A product as the feed describes it.

Names and meanings are those of the product data specification of Google Merchant Center, which Meta and the exports of
Shopify, WooCommerce and Magento share: https://support.google.com/merchants/answer/7052112
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money, such as 15.00 USD."""

    value: float
    """Finite, 0 or more."""
    currency: str
    """ISO 4217: three capital letters."""


Value = str | float | tuple[str, ...] | Price
"""Text, a number, a list of texts, or a price. All products of a feed have the same type in the same column."""


@dataclass(frozen=True, slots=True)
class Product:
    """One row of the feed: a product, or one variant of it."""

    id: str
    """Unique in the feed."""
    group: str
    """The product: `item_group_id`, which all variants share, or `id` where there is none."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """The other columns by name, in the order of the feed, as the feed writes them, without empty ones.

    Names match `[a-z][a-z0-9_]*`. Texts are not empty. Availability has one spelling, with underscores (`in_stock`).
    Lists are the colours, materials, patterns and sizes (the sizes of all variants that share a photo), and the levels
    of a product type. `description` is left out, and so are the columns that say which photos belong to the product.
    """

"""Conditions on products in the grammar of S3 Vectors.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
"""

import math
from typing import Any

from embeddings.products.columns import SEEN
from embeddings.products.vocabulary import fold
from embeddings.products.where import Condition
from embeddings.s3_vectors.metadata import Filter
from embeddings.s3_vectors.products import PREFIX


def condition_filter(condition: Condition) -> Filter:
    """Make the filter for one condition. `$in` and `$nin` look at each text of a list."""
    name = condition.column if condition.column.startswith(SEEN) else PREFIX + condition.column
    if condition.texts:
        texts = list(condition.texts)
        return _or_missing(name, {name: {"$nin": texts}}) if condition.negated else {name: {"$in": texts}}
    if condition.negated:
        return _or_missing(name, both(*(_outside(name, *ends) for ends in condition.ranges)))
    return _either(*(_inside(name, *ends) for ends in condition.ranges))


def of_product(product: str) -> Filter:
    """Make the filter for a product's `item_group_id` or the `id` of one of its variants, without regard to case."""
    return _either(*({f"{PREFIX}{name}": {"$eq": fold(product)}} for name in ("item_group_id", "id")))


def both(*filters: Filter) -> Filter:
    """Join filters by and; empty ones let everything through."""
    given = [each for each in filters if each]
    return given[0] if len(given) == 1 else {"$and": given} if given else {}


def _either(*filters: Filter) -> Filter:
    return filters[0] if len(filters) == 1 else {"$or": list(filters)}


def _or_missing(name: str, where: Filter) -> Filter:
    return {"$or": [{name: {"$exists": False}}, where]}


def _inside(name: str, least: float, most: float) -> Filter:
    if least == most:
        return {name: {"$eq": least}}
    return both(*(_compared(name, operator, end) for operator, end in (("$gte", least), ("$lte", most))))


def _outside(name: str, least: float, most: float) -> Filter:
    ends = [_compared(name, operator, end) for operator, end in (("$lt", least), ("$gt", most))]
    return _either(*(each for each in ends if each))


def _compared(name: str, operator: str, end: float) -> dict[str, Any]:
    return {} if math.isinf(end) else {name: {operator: end}}

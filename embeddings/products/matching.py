"""Which photo of the gallery shows which product."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from embeddings.products.feed import Row
from embeddings.products.product import Product, Value
from embeddings.products.records import Refusals, RowRefusal


@dataclass(frozen=True)
class Matches:
    """Products by the keys of their photos, and the rows that found no photo."""

    products: Mapping[str, Product]
    """Equal ids are equal products."""
    refusals: Refusals


def match(rows: Sequence[Row], keys: Collection[str], image_base_url: str = "") -> Matches:
    """Give each photo the product that names it.

    A row names its photos by `key`; else by links below `image_base_url`, or to a file name that only one photo has.
    If rows of several products name the same photo, a key counts before an image link and that before an additional
    one; then the first row counts. Variants of one product may share photos: see `_joined`.

    Args:
        rows: of the feed.
        keys: of the gallery's photos.
        image_base_url: the public address of the gallery.
    """
    gallery = _Gallery(keys, image_base_url)
    claims: dict[str, list[int]] = {}
    """The rows that show each photo: all of one product, all by the same kind of link."""
    matched: set[int] = set()
    for named in (_by_key, _by_image_link, _by_additional_links):
        new: defaultdict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            for key in dict.fromkeys(named(row, gallery)):
                matched.add(place)
                if key in claims:
                    continue
                showing = new[key]
                if not showing or rows[showing[0]].product.group == row.product.group:
                    showing.append(place)
        claims |= new
    speakers = {key: _speaker(rows, places) for key, places in claims.items()}
    variants: defaultdict[int, dict[int, None]] = defaultdict(dict)
    for key, places in claims.items():
        variants[speakers[key]].update(dict.fromkeys(places))
    joined = {speaker: _joined(rows, speaker, sorted(places)) for speaker, places in variants.items()}
    products = {key: joined[speaker] for key, speaker in speakers.items()}
    shown = {each.group for each in joined.values()}
    refusals = Refusals()
    for place, row in enumerate(rows):
        if place not in matched:
            refusals.add(RowRefusal(row.line, row.product.id, gallery.problem(row)))
        elif row.product.group not in shown:
            other = next(key for named in _WAYS for key in named(row, gallery))
            owner = rows[claims[other][0]]
            reason = f"its photo {other} shows {owner.product.id} of line {owner.line} already"
            refusals.add(RowRefusal(row.line, row.product.id, reason))
    return Matches(products, refusals)


class _Gallery:
    """Finds photos by what a feed says of them."""

    def __init__(self, keys: Collection[str], image_base_url: str) -> None:
        self._keys = frozenset(keys)
        self._base = _place(image_base_url.rstrip("/") + "/") if image_base_url else None
        self._named: defaultdict[str, list[str]] = defaultdict(list)
        for key in self._keys:
            self._named[key.rpartition("/")[2]].append(key)

    def has(self, key: str) -> bool:
        return key in self._keys

    def find(self, link: str) -> str | None:
        """Find a link's photo: by its path below the gallery's address, else by its file name if that is unique."""
        path = self._path(link)
        if path is not None and path in self._keys:
            return path
        named = self._named.get(_file_name(link), ())
        return named[0] if len(named) == 1 else None

    def problem(self, row: Row) -> str:
        """Say why none of a row's photos was found."""
        if row.key:
            return f"the gallery has no photo {row.key[:200]!r}"
        link = row.image_link or row.additional_image_links[0]
        name = _file_name(link)
        alike = len(self._named.get(name, ()))
        if alike > 1:
            return f"{alike:,} photos of the gallery are named {name[:200]!r}: add a column key with the photo's key"
        return f"the gallery has no photo named {name[:200]!r}"

    def _path(self, link: str) -> str | None:
        host, path = _place(link)
        if not host:
            return unquote(path).lstrip("/")
        if self._base is None or host != self._base[0] or not path.startswith(self._base[1]):
            return None
        return unquote(path.removeprefix(self._base[1]))


def _by_key(row: Row, gallery: _Gallery) -> Iterable[str]:
    if row.key and gallery.has(row.key):
        yield row.key


def _by_image_link(row: Row, gallery: _Gallery) -> Iterable[str]:
    found = gallery.find(row.image_link) if row.image_link and not row.key else None
    if found is not None:
        yield found


def _by_additional_links(row: Row, gallery: _Gallery) -> Iterable[str]:
    for link in row.additional_image_links:
        found = gallery.find(link)
        if found is not None:
            yield found


_WAYS = (_by_key, _by_image_link, _by_additional_links)


def _place(link: str) -> tuple[str, str]:
    """Return the host and the path of a link, without its query: shops put a version there."""
    try:
        parts = urlsplit(link)
    except ValueError:  # such as a half IPv6 address
        return "", link
    return parts.netloc.lower(), parts.path


def _file_name(link: str) -> str:
    return unquote(_place(link)[1]).rpartition("/")[2]


def _speaker(rows: Sequence[Row], places: Sequence[int]) -> int:
    """Choose one of the variants that share a photo: the first that is in stock, else the first."""
    return next((each for each in places if _availability(rows[each]) == "in_stock"), places[0])


def _joined(rows: Sequence[Row], speaker: int, places: Sequence[int]) -> Product:
    """Give the speaker the sizes and other lists of the variants that share its photos and are as available.

    So a photo is found by each size that can be bought.
    """
    product = rows[speaker].product
    values: dict[str, Value] = dict(product.values)
    for each in places:
        if _availability(rows[each]) == _availability(rows[speaker]):
            for name, value in rows[each].product.values.items():
                mine = values.get(name, ())
                if isinstance(value, tuple) and isinstance(mine, tuple):
                    values[name] = tuple(dict.fromkeys(mine + value))
    return replace(product, values=values)


def _availability(row: Row) -> Value | None:
    return row.product.values.get("availability")

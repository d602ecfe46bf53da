"""The product feed's part in a rebuild: has it changed, and which photo shows which product now?"""

import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from embeddings.errors import FeedError, NotFoundError, StorageError
from embeddings.index.sources import FeedState
from embeddings.products.feed import Feed, read_feed
from embeddings.products.matching import Matches, match
from embeddings.products.product import Product
from embeddings.rebuild.feed_file import FEED_NAME, FeedFile
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.storage.objects import Writer

NO_FEED = "none"
"""Given as the feed's address, it takes the products out of the index."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedOptions:
    """How to use a feed. None stands for what the index was made with."""

    uri: str | None = None
    """The feed's address; "" for `feed.csv` at the gallery's root, which is where a new index looks."""
    image_base_url: str | None = None
    """The public address of the gallery, below which the feed's links to images are paths of photos."""
    hide_unlisted: bool | None = None
    """Whether to hide photos that show no product of the feed."""

    def over(self, before: FeedState | None) -> FeedState:
        """Return what is to be read, without its ETag."""
        before = before or FeedState("", "")
        return FeedState(
            before.uri if self.uri is None else self.uri,
            "",
            before.image_base_url if self.image_base_url is None else self.image_base_url,
            before.hide_unlisted if self.hide_unlisted is None else self.hide_unlisted,
        )


@dataclass(frozen=True)
class Products:
    """The products of all photos of a generation."""

    by_key: Mapping[str, Product] = field(default_factory=dict)
    state: FeedState | None = None
    feed: bytes = b""
    """The content that they were read from."""


class Feeds:
    """Opens feeds, for all attempts of one rebuild."""

    def __init__(self, options: FeedOptions, gallery_uri: str, gallery: Writer) -> None:
        """Touch no storage yet.

        Raises:
            StorageUriError: the address of the feed is not one.
        """
        self.options = options
        self._gallery_uri = gallery_uri
        self._gallery = gallery
        self._files: dict[str, FeedFile] = {}
        if options.uri not in (None, NO_FEED):
            self.open(str(options.uri))

    def open(self, uri: str) -> FeedFile:
        """Open the feed at an address; "" is the gallery's own."""
        if uri not in self._files:
            self._files[uri] = FeedFile(uri, self._gallery_uri, self._gallery)
        return self._files[uri]


class ProductFeed:
    """The feed as one attempt finds it."""

    def __init__(self, feeds: Feeds, last: LastGeneration) -> None:
        """Look the feed up. A feed that cannot be used is a problem to report, not an error."""
        self.problem = ""
        """Why the products stay as the last usable feed said, or there are none."""
        self._last = last
        self._before = last.sources.feed
        self._wanted = feeds.options.over(self._before)
        self._file = None if feeds.options.uri == NO_FEED else feeds.open(self._wanted.uri)
        self.keys = {FEED_NAME} if self._file is None else self._file.keys_in_gallery
        """Keys of the gallery that are feeds, not photos."""
        self._wanted = replace(self._wanted, etag=self._look())

    @property
    def changed(self) -> bool:
        """Whether the products may be others now even if the photos are the same."""
        if self._before is None:
            return bool(self._wanted.etag)
        if self._file is None:
            return True
        return _settings(self._expected(self._before)) != _settings(self._before)

    def products(self, keys: Set[str]) -> Products:
        """Find out which product each photo shows; `keys` are those of all photos that are searchable or hidden.

        Raises:
            StorageError: storage failed, and the last feed cannot be read either.
        """
        if self._file is None:
            return Products()
        if self._wanted.etag:
            try:
                content, feed = self._file.read(self._wanted.etag)
                matches = match(feed.rows, keys, self._wanted.image_base_url)
                if keys and not matches.products:
                    raise FeedError(f"none of its rows shows a photo of the gallery: {_first(matches)}")
                return _made(self._wanted, content, feed, matches, keys)
            except (FeedError, StorageError) as error:
                self.note(str(error))
        content = self._last.feed()
        if self._before is None or not content:
            return Products()
        feed = read_feed(content)
        expected = self._expected(self._before, again=True)
        return _made(expected, content, feed, match(feed.rows, keys, expected.image_base_url), keys)

    def _look(self) -> str:
        """Return the feed's ETag, or "" if there is none to be had."""
        if self._file is None:
            return ""
        try:
            return self._file.etag()
        except NotFoundError:
            if self._before is not None or self._wanted.uri:
                self.note("it is not there")
        except StorageError as error:
            self.note(str(error))
        return ""

    def note(self, problem: str) -> None:
        """Record why the feed is not used."""
        assert self._file is not None, "there is a feed to have problems with"  # noqa: S101
        instead = "there are no products" if self._before is None else "the products stay as the last feed said"
        self.problem = f"{self._file.name}: {problem}; {instead}"
        _log.error("the product feed cannot be used: %s", self.problem)

    def _expected(self, before: FeedState, *, again: bool = False) -> FeedState:
        """Return what is to be read, or with the wanted options the last feed `again`, as if it were gone."""
        if self._wanted.etag and not again:
            return self._wanted
        return replace(self._wanted, uri=before.uri, etag=before.etag)


def _settings(state: FeedState) -> tuple[object, ...]:
    return state.uri, state.etag, state.image_base_url, state.hide_unlisted


def _first(matches: Matches) -> str:
    return "; ".join(f"line {each.line}: {each.reason}" for each in matches.refusals.first[:1])


def _made(expected: FeedState, content: bytes, feed: Feed, matches: Matches, keys: Set[str]) -> Products:
    refusals = feed.refusals + matches.refusals
    state = replace(
        expected,
        products=len(matches.products),
        rows_failed=refusals.count,
        refusals=tuple(refusals.first),
        empty_columns=feed.empty_columns,
        hidden=frozenset(keys - matches.products.keys() if expected.hide_unlisted else set()),
    )
    return Products(matches.products, state, content)

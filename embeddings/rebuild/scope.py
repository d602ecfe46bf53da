"""The part of the gallery that a rebuild looks at, and what it finds there."""

import logging
import re
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from embeddings.errors import NotFoundError, StorageError, UnavailableError
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import Limits
from embeddings.rebuild.shard import Shard
from embeddings.storage.keys import key_problem
from embeddings.storage.objects import ObjectInfo, Writer

_LOOKERS = 16  # a burst of events names thousands of keys, and each look waits for storage
_LITTER = re.compile(
    r"(.*/)?(\.DS_Store|\._[^/]*|Thumbs\.db|ehthumbs\.db|desktop\.ini|[^/]*_\$folder\$|__MACOSX/.*)", re.DOTALL
)
"""Files that file managers and tools leave behind. Nobody takes them for photos."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """The objects that can be embedded, and refusals of the others."""

    objects: dict[str, ObjectInfo]
    unfit: dict[str, Refusal]


@dataclass(frozen=True)
class Scope:
    """The whole gallery, one folder of it, or some keys. The first two may be limited to a shard's share."""

    prefix: str = ""
    keys: frozenset[str] | None = None
    shard: Shard | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all of the gallery."""
        return not self.prefix and self.keys is None and self.shard is None

    def __contains__(self, key: str) -> bool:
        if self.keys is not None:
            return key in self.keys
        return key.startswith(self.prefix) and (self.shard is None or key in self.shard)

    def list(
        self,
        gallery: Writer,
        limits: Limits,
        problem_of: Callable[[str], str | None] = key_problem,
        feeds: Collection[str] = (),
    ) -> Listing:
        """List what is in the gallery now. An object that is too large is refused without fetching it.

        Args:
            gallery: storage of the photos.
            limits: limits on one photo.
            problem_of: says why a key cannot be indexed, or returns None.
            feeds: keys of product feeds, which are no photos.

        Raises:
            StorageError: storage failed.
        """
        objects, unfit = {}, {}
        for each in self._present(gallery):
            if _LITTER.fullmatch(each.key) or each.key in feeds:
                continue
            problem = problem_of(each.key)
            if problem is None and each.size > limits.max_bytes:
                problem = f"{each.size:,} bytes, the limit is {limits.max_bytes:,}"
            if problem is None:
                objects[each.key] = each
            else:
                # Without an ETag: every listing judges the object anew, by the limits of its day.
                unfit[each.key] = Refusal("", problem)
                _log.info("not indexed: %r: %s", each.key, problem)
        return Listing(objects, unfit)

    def _present(self, gallery: Writer) -> Iterable[ObjectInfo]:
        if self.keys is None:
            yield from (each for each in gallery.list(self.prefix) if each.key in self)
            return
        with ThreadPoolExecutor(_LOOKERS, thread_name_prefix="stat") as pool:
            for found in pool.map(partial(_find, gallery), sorted(self.keys)):
                if found is not None:
                    yield found


def _find(gallery: Writer, key: str) -> ObjectInfo | None:
    try:
        return gallery.stat(key)
    except NotFoundError:
        return None
    except UnavailableError:
        raise
    except StorageError:
        # The object itself may be the cause: S3 does not describe one that is encrypted with its owner's key. The
        # listing has it, and the rebuild then records that it cannot be read. Listing fails if all access is denied.
        return next((each for each in gallery.list(key) if each.key == key), None)


def folder_scope(prefix: str, shard: Shard | None = None) -> Scope:
    """Return the scope of a folder, or a shard's share of it. "shirts" means "shirts/"; "" is the whole gallery."""
    folder = prefix.rstrip("/")
    return Scope(prefix=f"{folder}/" if folder else "", shard=shard)


def key_scope(keys: Iterable[str]) -> Scope:
    """Return the scope of some keys.

    It leaves out keys that are not in normal form, which the index cannot hold. A look at the gallery records them.
    """
    return Scope(keys=frozenset(key for key in keys if key_problem(key) is None))


def split(sources: Sources, scope: Scope, *, inside: bool) -> Sources:
    """Return the part of the sources that is in the scope, or the part that is not."""
    return Sources(
        {key: etag for key, etag in sources.etags.items() if (key in scope) is inside},
        {key: refusal for key, refusal in sources.refusals.items() if (key in scope) is inside},
    )

"""Which part of the gallery a rebuild looks at, and what is there now."""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from embeddings.errors import NotFoundError, StorageError, UnavailableError
from embeddings.index.sources import Refusal, Sources
from embeddings.preprocess import Limits
from embeddings.rebuild.shard import Shard
from embeddings.storage.keys import key_problem
from embeddings.storage.objects import ObjectInfo, Writer

_LOOKERS = 16  # a burst names thousands of keys, and each look waits for storage
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """The objects that can be embedded, and why the others cannot."""

    objects: dict[str, ObjectInfo]
    unfit: dict[str, Refusal]


@dataclass(frozen=True)
class Scope:
    """The whole gallery, one folder of it, or some keys; of the first two perhaps a shard's share."""

    prefix: str = ""
    keys: frozenset[str] | None = None
    shard: Shard | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is outside."""
        return not self.prefix and self.keys is None and self.shard is None

    def __contains__(self, key: str) -> bool:
        if self.keys is not None:
            return key in self.keys
        return key.startswith(self.prefix) and (self.shard is None or key in self.shard)

    def list(self, gallery: Writer, limits: Limits, problem_of: Callable[[str], str | None] = key_problem) -> Listing:
        """What is in the gallery now. An object that is too large is not even fetched.

        Args:
            gallery: to look at.
            limits: what one photo may cost.
            problem_of: why a key cannot be indexed, if it cannot.

        Raises:
            StorageError.
        """
        objects, unfit = {}, {}
        for each in self._present(gallery):
            problem = problem_of(each.key)
            if problem is None and each.size > limits.max_bytes:
                problem = f"{each.size:,} bytes, the limit is {limits.max_bytes:,}"
            if problem is None:
                objects[each.key] = each
            else:
                # Without the ETag: every listing shows it anew, under the limits of its day.
                unfit[each.key] = Refusal("", problem)
                _log.warning("not indexed: %r: %s", each.key, problem)
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
        # The object's own trait may be why: S3 says nothing of one that is encrypted with its owner's key. The listing
        # shows it, and the report then says that it cannot be read. Where all is refused, so is the listing.
        return next((each for each in gallery.list(key) if each.key == key), None)


def folder_scope(prefix: str, shard: Shard | None = None) -> Scope:
    """A folder ("shirts" and "shirts/" are the same), or a shard's share of it; "" is the whole gallery."""
    folder = prefix.rstrip("/")
    return Scope(prefix=f"{folder}/" if folder else "", shard=shard)


def key_scope(keys: Iterable[str]) -> Scope:
    """Some keys. Those not in normal form cannot be in the index; a look at the whole gallery records them."""
    return Scope(keys=frozenset(key for key in keys if key_problem(key) is None))


def split(sources: Sources, scope: Scope, *, inside: bool) -> Sources:
    """What of the sources is in the scope, or what is not."""
    return Sources(
        {key: etag for key, etag in sources.etags.items() if (key in scope) is inside},
        {key: refusal for key, refusal in sources.refusals.items() if (key in scope) is inside},
    )

"""What must be done to get from the last generation's sources to what the gallery holds now."""

from dataclasses import dataclass

from embeddings.index.sources import Sources
from embeddings.rebuild.scope import Listing, Scope
from embeddings.storage.objects import ObjectInfo


@dataclass(frozen=True)
class Plan:
    """How the next generation comes about."""

    kept: Sources
    """Images whose vectors are used again. Refusals known without trying: unfit objects, and photos that could not be
    read and have not changed."""
    embed: list[ObjectInfo]

    @property
    def expected(self) -> Sources:
        """The next generation's sources if every photo can be embedded."""
        return Sources({**self.kept.etags, **{each.key: each.etag for each in self.embed}}, self.kept.refusals)


def make_plan(reusable: Sources, scope: Scope, listing: Listing) -> Plan:
    """Compare a listing with the sources whose vectors can be used again. Outside the scope everything stays."""
    etags = {key: etag for key, etag in reusable.etags.items() if key not in scope}
    refusals = {key: refusal for key, refusal in reusable.refusals.items() if key not in scope} | listing.unfit
    embed = []
    for key, found in listing.objects.items():
        refusal = reusable.refusals.get(key)
        if reusable.etags.get(key) == found.etag:
            etags[key] = found.etag
        elif refusal is not None and refusal.etag == found.etag:
            refusals[key] = refusal
        else:
            embed.append(found)
    return Plan(Sources(etags, refusals), embed)

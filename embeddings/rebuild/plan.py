"""The plan of a rebuild: the steps from the last generation's sources to the gallery as it is now."""

from collections.abc import Mapping
from dataclasses import dataclass

from embeddings.index.sources import Refusal, Sources
from embeddings.rebuild.pipeline import ARCHIVED
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
        elif found.archived:
            refusals[key] = Refusal("", ARCHIVED)  # without an ETag, so that the next listing judges it anew
        else:
            embed.append(found)
    return Plan(Sources(etags, refusals), embed)


def reuse_renamed(plan: Plan, etags: Mapping[str, str]) -> tuple[Plan, dict[str, str]]:
    """Keep photos that were renamed or copied: an ETag that is a hash shows that their content is known.

    Args:
        plan: the plan so far.
        etags: ETags, by key, of images whose vectors can be used again.

    Returns:
        A plan that keeps those photos instead of embedding them; and by their keys, the keys that have their vectors.
    """
    key_of = {etag: key for key, etag in etags.items()}
    renamed = {each.key: key_of[each.etag] for each in plan.embed if each.hashed and each.etag in key_of}
    kept = Sources(
        {**plan.kept.etags, **{each.key: each.etag for each in plan.embed if each.key in renamed}}, plan.kept.refusals
    )
    return Plan(kept, [each for each in plan.embed if each.key not in renamed]), renamed

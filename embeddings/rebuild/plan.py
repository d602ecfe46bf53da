"""What must be done to get from the last generation's sources to what the gallery holds now."""

from dataclasses import dataclass

from embeddings.index.sources import Refusal, Sources
from embeddings.rebuild.scope import Listing, Scope
from embeddings.storage.objects import ObjectInfo


@dataclass(frozen=True)
class Plan:
    """How the next generation comes about."""

    keep: dict[str, str]
    """ETags of the images whose vectors are taken over."""
    embed: list[ObjectInfo]
    refusals: dict[str, Refusal]
    """Known without trying: unfit objects, and unreadable ones whose content is still the same."""


def make_plan(reusable: Sources, scope: Scope, listing: Listing) -> Plan:
    """Compare the listing with the sources whose vectors can be used again; outside the scope all stays."""
    keep = {key: etag for key, etag in reusable.etags.items() if key not in scope}
    refusals = {key: refusal for key, refusal in reusable.refusals.items() if key not in scope} | listing.unfit
    embed = []
    for key, found in listing.objects.items():
        refusal = reusable.refusals.get(key)
        if reusable.etags.get(key) == found.etag:
            keep[key] = found.etag
        elif refusal is not None and refusal.etag == found.etag:
            refusals[key] = refusal
        else:
            embed.append(found)
    return Plan(keep, embed, refusals)

"""The figures about an index, as JSON and as a summary for a terminal."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scripts.reporting.index_contents import Contents, folder_counts, reason_counts
from scripts.reporting.near_duplicates import Duplicates, find_duplicates
from scripts.reporting.projection import Plane, on_plane
from scripts.reporting.score_distribution import Effect, Scores, measure_scores

_QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)
_SHOWN = 5


@dataclass(frozen=True)
class Report:
    """The contents of an index, and the figures about them."""

    contents: Contents
    limit: float
    """The least cosine of near-duplicates."""
    duplicates: Duplicates
    scores: Scores | None
    """None for fewer than two images."""
    plane: Plane | None
    """The map; None for an empty index."""

    def effects(self) -> list[Effect]:
        """Return the effects of several values of min_score in ascending order, the suggested one among them."""
        if self.scores is None:
            return []
        tenths = {number / 10 for number in range(1, 10)}
        return [self.scores.effect(score) for score in sorted(tenths | {self.scores.suggested})]

    def as_record(self) -> dict[str, Any]:
        """Return all figures in the form of JSON."""
        manifest, keys = self.contents.manifest, self.contents.keys
        record: dict[str, Any] = {
            "index": {
                "generation": manifest.generation,
                "built_at": manifest.built_at,
                "held": manifest.held,
                "model": manifest.model.sha256,
                "count": manifest.count,
                "failed": manifest.failed,
                "dimension": manifest.dimension,
                "dtype": manifest.dtype,
                "bytes": self.contents.size,
            },
            "folders": folder_counts(keys),
            "failures": {key: refusal.reason for key, refusal in self.contents.refusals.items()},
            "near_duplicates": {
                "limit": self.limit,
                "pairs": self.duplicates.pairs,
                "surplus": self.duplicates.surplus,
                "groups": [
                    [{"key": keys[row], "score": score} for row, score in group] for group in self.duplicates.groups
                ],
            },
        }
        if self.contents.products is not None:
            record["products"] = self.contents.products.as_record()
        if self.plane is not None:
            record["map"] = {"variance": round(self.plane.variance, 4)}
        if self.scores is not None:
            record["scores"] = {
                "suggested_min_score": self.scores.suggested,
                "quantiles": {
                    name: {
                        str(share): round(float(value), 4)
                        for share, value in zip(_QUANTILES, np.quantile(values, _QUANTILES), strict=True)
                    }
                    for name, values in self.scores.by_name().items()
                },
                "effects": [asdict(effect) for effect in self.effects()],
            }
        return record

    def summary(self) -> str:
        """Return a few lines for a terminal."""
        contents, manifest = self.contents, self.contents.manifest
        lines = [
            f"{manifest.count:,} images, {manifest.failed:,} not indexed, {contents.size / 1e6:.1f} MB with the model",
            f"generation {manifest.generation}, built {manifest.built_at}"
            + (", held after a rollback" if manifest.held else ""),
            f"model {manifest.model.sha256[:12]}, dimension {manifest.dimension}, {manifest.dtype}",
            *_listed("folders", folder_counts(contents.keys)),
            *_listed("not indexed", reason_counts(contents.refusals)),
            *([contents.products.summary()] if contents.products else []),
            *_listed("rows that failed", contents.products.reasons() if contents.products else {}),
            f"near-duplicates (cosine at least {self.limit:g}): {len(self.duplicates.groups):,} groups; "
            f"{self.duplicates.surplus:,} images could go if each group kept one",
        ]
        if self.scores is not None:
            effect = self.scores.effect(self.scores.suggested)
            lines.append(
                f"suggested min_score: {effect.min_score:.2f}; {effect.pairs:.0%} of random pairs reach it, "
                f"and {effect.answered:.1%} of the gallery's images still find another"
            )
        return "\n".join(lines)


def make_report(contents: Contents, limit: float) -> Report:
    """Compute all figures, with progress bars."""
    vectors = contents.vectors
    return Report(
        contents,
        limit,
        find_duplicates(vectors, limit),
        measure_scores(vectors),
        on_plane(vectors) if len(vectors) else None,
    )


def _listed(title: str, counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    lines = [f"{title}:", *(f"{count:>8,}  {name}" for name, count in list(counts.items())[:_SHOWN])]
    if len(counts) > _SHOWN:
        lines.append(f"          and {len(counts) - _SHOWN:,} more; the report lists them")
    return lines

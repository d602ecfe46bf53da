"""Words in titles that name a look: "Puma Men Striped Black Polo T-shirt" is striped, and a polo.

Brands are left out, and so are words that repeat kind or colour. At least 40 titles of the catalogue that the shipped
model is trained on name each look.
"""

import re

LOOKS: dict[str, tuple[str, ...]] = {
    "analogue": ("analogue", "analog"),
    "aviator": ("aviator",),
    "basic": ("basic", "basics"),
    "bikini": ("bikini",),
    "canvas": ("canvas",),
    "chain": ("chain",),
    "check": ("check", "checks", "checked"),
    "chronograph": ("chronograph",),
    "cotton": ("cotton",),
    "crew neck": ("crew",),
    "denim": ("denim",),
    "digital": ("digital",),
    "duffle": ("duffle",),
    "fit": ("fit",),
    "floral": ("floral", "flower"),
    "floater": ("floater", "floaters"),
    "graphic": ("graphic",),
    "high": ("high",),
    "jersey": ("jersey",),
    "knit": ("knit", "knitted"),
    "lace": ("lace",),
    "leather": ("leather", "leatherette"),
    "logo": ("logo",),
    "low": ("low",),
    "melange": ("melange",),
    "mid": ("mid",),
    "pack": ("pack", "combo"),
    "pearl": ("pearl",),
    "pique": ("pique",),
    "pocket": ("pocket",),
    "polo": ("polo",),
    "printed": ("printed", "print"),
    "reversible": ("reversible",),
    "round": ("round",),
    "running": ("running",),
    "semi": ("semi",),
    "short": ("short",),
    "silk": ("silk",),
    "sleeveless": ("sleeveless",),
    "slim": ("slim",),
    "sling": ("sling",),
    "slip-on": ("slip",),
    "solid": ("solid",),
    "square": ("square",),
    "steel": ("steel",),
    "strap": ("strap",),
    "stretch": ("stretch",),
    "striped": ("striped", "stripes", "stripe"),
    "thong": ("thong",),
    "tote": ("tote",),
    "turtle neck": ("turtle",),
    "v neck": ("v",),
    "washed": ("washed",),
    "wedges": ("wedges", "wedge"),
    "winter": ("winter",),
    "woven": ("woven",),
}
"""By look: the words in titles that stand for it."""

_LOOK = {word: look for look, words in LOOKS.items() for word in words}


def look_words(title: str) -> frozenset[str]:
    """Return the looks that a title names."""
    return frozenset(_LOOK[word] for word in re.findall(r"[a-z]+", title.casefold()) if word in _LOOK)

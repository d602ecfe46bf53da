"""Two vocabularies of labels onto one: the joint categories that shop and consumer photos share.

A word that is missing here is an error, not a guess: whoever adds a data set decides what its words mean.
"""

from typing import Literal, get_args

Domain = Literal["shop", "consumer"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)

# joint category: (words of the shop catalogue, words of the consumer photos)
CATEGORIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "t-shirt": (("Tshirts",), ("T-Shirt", "Polo")),
    "shirt": (("Shirts",), ("Shirt",)),
    # The consumer set has no word for knitwear: its Longsleeve holds sweaters and long-sleeved jerseys alike.
    "sweater": (("Sweaters", "Sweatshirts"), ("Longsleeve", "Hoodie")),
    "top": (("Tops", "Tunics", "Shrug"), ("Top", "Blouse")),
    "undershirt": (("Innerwear Vests",), ("Undershirt",)),
    "outerwear": (("Jackets", "Waistcoat"), ("Outwear", "Blazer")),
    "trousers": (
        ("Trousers", "Jeans", "Track Pants", "Leggings", "Capris", "Churidar", "Lounge Pants", "Tights"),
        ("Pants",),
    ),
    "shorts": (("Shorts", "Lounge Shorts"), ("Shorts",)),
    "dress": (("Dresses",), ("Dress",)),
    "skirt": (("Skirts",), ("Skirt",)),
    "shoes": (
        ("Casual Shoes", "Sports Shoes", "Formal Shoes", "Heels", "Flats", "Sandals", "Flip Flops", "Sports Sandals"),
        ("Shoes",),
    ),
    "hat": (("Caps", "Hat"), ("Hat",)),
    "baby body": ((), ("Body",)),
    "kurta": (("Kurtas", "Kurtis", "Kurta Sets"), ()),
    "saree": (("Sarees",), ()),
    "tracksuit": (("Tracksuits",), ()),
    "underwear": (("Briefs", "Trunk", "Boxers", "Bra"), ()),
    "legwear": (("Socks", "Stockings"), ()),
    "bag": (
        ("Handbags", "Backpacks", "Clutches", "Laptop Bag", "Duffel Bag", "Messenger Bag", "Rucksacks", "Waist Pouch"),
        (),
    ),
    "wallet": (("Wallets", "Mobile Pouch"), ()),
    "belt": (("Belts",), ()),
    "sunglasses": (("Sunglasses",), ()),
    "tie": (("Ties",), ()),
    "scarf": (("Mufflers", "Scarves", "Dupatta"), ()),
    "gloves": (("Gloves",), ()),
    "headband": (("Headband",), ()),
}

_JOINT: dict[tuple[Domain, str], str] = {
    (domain, word): category
    for category, vocabularies in CATEGORIES.items()
    for domain, words in zip(DOMAINS, vocabularies, strict=True)
    for word in words
}


def joint_category(domain: Domain, word: str) -> str:
    """The joint category of a source's own word.

    Raises:
        KeyError: the word is in no row of the table.
    """
    try:
        return _JOINT[domain, word]
    except KeyError:
        raise KeyError(
            f"{word!r} ({domain}) is in no row of {__name__}.CATEGORIES; add it to the category it belongs to"
        ) from None

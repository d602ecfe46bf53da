"""Joint categories: one vocabulary for the labels of shop photos and of consumer photos.

A word that is missing here is an error. Whoever adds a data set decides what its words mean.
"""

from typing import Literal, get_args

Domain = Literal["shop", "consumer"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)

CATEGORIES: dict[str, tuple[str, str]] = {
    "t-shirt": ("Tshirts, Lounge Tshirts", "T-Shirt, Polo"),
    "shirt": ("Shirts", "Shirt"),
    # The consumer set has no word for knitwear: its Longsleeve holds sweaters and long-sleeved jerseys alike.
    "sweater": ("Sweaters, Sweatshirts", "Longsleeve, Hoodie"),
    "top": ("Tops, Tunics, Shrug", "Top, Blouse"),
    "undershirt": ("Innerwear Vests, Camisoles", "Undershirt"),
    "outerwear": ("Jackets, Waistcoat, Blazers, Rain Jacket, Nehru Jackets", "Outwear, Blazer"),
    "trousers": (
        "Trousers, Jeans, Jeggings, Track Pants, Leggings, Capris, Churidar, Lounge Pants, Tights, Patiala, Salwar",
        "Pants",
    ),
    "shorts": ("Shorts, Lounge Shorts", "Shorts"),
    "dress": ("Dresses", "Dress"),
    "skirt": ("Skirts", "Skirt"),
    "shoes": (
        "Casual Shoes, Sports Shoes, Formal Shoes, Heels, Flats, Sandals, Flip Flops, Sports Sandals, Booties",
        "Shoes",
    ),
    "hat": ("Caps, Hat", "Hat"),
    "baby body": ("", "Body"),
    # Infants wear rompers, but as a "baby body" the only one in a test part would decide a whole category of task A.
    "jumpsuit": ("Jumpsuit, Rompers", ""),
    "kurta": ("Kurtas, Kurtis, Kurta Sets", ""),
    "saree": ("Sarees", ""),
    "tracksuit": ("Tracksuits", ""),
    "clothing set": ("Clothing Set, Lehenga Choli, Salwar and Dupatta", ""),
    "nightwear": ("Nightdress, Night suits, Baby Dolls, Bath Robe, Robe", ""),
    "swimwear": ("Swimwear", ""),
    "underwear": ("Briefs, Trunk, Boxers, Bra, Shapewear", ""),
    "legwear": ("Socks, Stockings", ""),
    "bag": (
        "Handbags, Backpacks, Clutches, Laptop Bag, Duffel Bag, Messenger Bag, Rucksacks, Waist Pouch, Trolley Bag, "
        "Travel Accessory, Tablet Sleeve",
        "",
    ),
    "wallet": ("Wallets, Mobile Pouch", ""),
    "belt": ("Belts, Suspenders", ""),
    # Both photos that are called Ties and Cufflinks show sunglasses.
    "sunglasses": ("Sunglasses, Ties and Cufflinks", ""),
    "watch": ("Watches", ""),
    "jewellery": ("Earrings, Pendant, Necklace and Chains, Ring, Bangle, Bracelet, Jewellery Set, Wristbands", ""),
    "cufflinks": ("Cufflinks", ""),
    "tie": ("Ties", ""),
    "scarf": ("Mufflers, Scarves, Stoles, Dupatta", ""),
    "gloves": ("Gloves", ""),
    "headband": ("Headband", ""),
    # A few photos each, too few for a category of their own.
    "other": (
        "Accessory Gift Set, Umbrellas, Water Bottle, Key chain, Hair Accessory, Perfume and Body Mist, "
        "Shoe Accessories, Shoe Laces",
        "",
    ),
}
"""By joint category: the shop catalogue's words for it, and the consumer photos' words."""

_JOINT: dict[tuple[Domain, str], str] = {
    (domain, word): category
    for category, vocabularies in CATEGORIES.items()
    for domain, words in zip(DOMAINS, vocabularies, strict=True)
    for word in filter(None, words.split(", "))
}


def joint_category(domain: Domain, word: str) -> str:
    """Return the joint category of a source's own word.

    Raises:
        KeyError: the word is in no row of the table.
    """
    try:
        return _JOINT[domain, word]
    except KeyError:
        raise KeyError(
            f"{word!r} ({domain}) is in no row of {__name__}.CATEGORIES; add it to the category it belongs to"
        ) from None

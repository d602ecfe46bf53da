"""Invented products, about as long and as different as those of a shop."""

import random

from embeddings.products.product import Price, Product, Value

_COLOURS = ("black", "white", "blue", "red", "green", "beige", "pink", "grey", "navy", "brown")
_CLOTHES = ("shirt", "dress", "skirt", "jeans", "coat", "jumper", "blouse", "jacket")
_CUTS = ("slim", "wide", "cropped", "long", "relaxed", "pleated", "striped", "linen")
RARE, SOME = "rare:yes", "some:yes"
"""Conditions that 6 products, and 1 % of them, meet."""


def invented_products(count: int) -> list[Product]:
    """Make one product for each photo; every fourth is a variant of the one before."""
    draw = random.Random(0)  # noqa: S311 - the same products every time
    return [_product(number, count, draw) for number in range(count)]


def _product(number: int, count: int, draw: random.Random) -> Product:
    colour, kind = draw.choice(_COLOURS), draw.choice(_CLOTHES)
    title = f"{draw.choice(_CUTS)} {colour} {kind} no. {number}".capitalize()
    values: dict[str, Value] = {
        "title": title,
        "link": f"https://shop.example/products/{title.lower().replace(' ', '-')}",
        "availability": "in_stock" if draw.random() < 0.9 else "out_of_stock",
        "price": Price(round(draw.lognormvariate(3.5, 0.6), 2), "EUR"),
        "brand": f"Brand {int(800 * draw.random() ** 3)}",
        "color": (colour,),
        "size": ("S", "M", "L", "XL")[: draw.randint(1, 4)],
        "product_type": ("Clothing", kind),
        "any": "yes",
    }
    if number % max(count // 6, 1) == 0:
        values["rare"] = "yes"
    if number % 100 == 0:
        values["some"] = "yes"
    return Product(f"{number:08}", f"{number - (number % 4 == 1):08}", values)

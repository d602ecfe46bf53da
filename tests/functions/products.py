"""An index with products, made without a feed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from embeddings.products.columns import pack_columns
from embeddings.products.product import Price, Product

SHIRT = Product(
    "shirt-red",
    "shirt",
    {
        "title": "Linen shirt",
        "link": "https://shop.example/shirt?a=1&b=2",
        "brand": "Nordhem",
        "price": Price(39.0, "EUR"),
        "availability": "in_stock",
        "color": ("red", "white"),
    },
)
SHIRT_DARK = Product(
    "shirt-dark",
    "shirt",
    {"title": "Linen shirt, dark", "brand": "NORDHEM", "price": Price(19.5, "EUR"), "availability": "out_of_stock"},
)
SHOE = Product(
    "shoe", "shoe", {"title": "Summer <b>shoe</b>", "brand": "Alba", "price": Price(80.0, "EUR"), "heel": 2.5}
)
PRODUCTS = {
    "shirts/80.jpg": SHIRT,
    "shirts/wide 80+.png": SHIRT,
    "shirts/20.jpg": SHIRT_DARK,
    "shoes/summer/50.jpg": SHOE,
    "shoes/summer/wide 50+.png": SHOE,
}


def add_products(index: Path, products: Mapping[str, Product]) -> None:
    """Give an index in a folder the products of its images, by key."""
    pointer = index / "current.json"
    manifest = json.loads(pointer.read_bytes())
    folder = index / "generations" / manifest["generation"]
    keys = (folder / "keys.txt").read_text(encoding="utf-8").split("\n")[:-1]
    content = pack_columns([products.get(key) for key in keys])
    (folder / "products.safetensors").write_bytes(content)
    manifest["files"]["products.safetensors"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    pointer.write_text(json.dumps(manifest))

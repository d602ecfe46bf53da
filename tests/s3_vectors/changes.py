"""Changes of a shop's gallery, and the requests to its engine that follow."""

from tests.s3_vectors.conftest import S3VectorsShop

MANY = {f"many/{number:02}.jpg": f"#{number:02x}{255 - number:02x}80" for number in range(12)}


def put_keys(shop: S3VectorsShop) -> list[str]:
    return [each["key"] for asked in shop.engine.asked("PutVectors") for each in asked["vectors"]]


def deleted_keys(shop: S3VectorsShop) -> list[str]:
    return [key for asked in shop.engine.asked("DeleteVectors") for key in asked["keys"]]


def change(shop: S3VectorsShop) -> None:
    """Add a photo, change one, delete one."""
    shop.put({"hats/new.jpg": "yellow", "shirts/red.jpg": "purple"})
    shop.photos.delete(["shoes/green.jpg"])
    shop.engine.requests.clear()


CHANGED = ("hats/new.jpg", "shirts/red.jpg", "shoes/green.jpg")

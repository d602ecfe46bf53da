"""Which photos of an item stand on which side of a pair, and how they are shown."""

import numpy as np
from PIL import Image

from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.views.cutouts import cut_out
from embeddings.training.views.items import LoadedPhoto, group
from tests.training.shapes import shop_photo


def picture(file: str, domain, item: str = "", garment: Image.Image | None = None) -> LoadedPhoto:
    return LoadedPhoto(
        LabelledPhoto(file, domain, "t-shirt", "", "", "", "1", item or file, "train"), shop_photo(), garment
    )


def test_an_item_prefers_photos_of_both_domains_over_its_cut_outs():
    garment = cut_out(shop_photo())
    shop, snapshot = picture("s", "shop", "shirt", garment), picture("c", "consumer", "shirt", garment)
    alone, uncut = picture("a", "consumer", garment=garment), picture("b", "consumer")
    both, consumer_only = group([shop, snapshot, alone, uncut])
    assert (both.query_side, both.gallery_side) == ((snapshot,), (shop,))
    assert (consumer_only.query_side, consumer_only.gallery_side) == ((alone,), (alone,))


def test_a_cut_out_consumer_photo_is_shown_as_a_shop_would():
    view = picture("a", "consumer", garment=cut_out(shop_photo())).shop_view(
        np.random.default_rng(0), small=0.0, side=160
    )
    assert (view[[0, -1]] == 255).all()
    assert view[80, 80].argmax() == 0

from tests.rebuild.conftest import any_shop, shop

__all__ = ["any_shop", "shop"]

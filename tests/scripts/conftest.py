from tests.rebuild.conftest import shop

__all__ = ["shop"]

"""What all tests of the training share."""

from tests.training.shapes import shapes

__all__ = ["shapes"]

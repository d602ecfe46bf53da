"""Garments drawn with Pillow, for a gallery that needs no download."""

"""Guards around a photo's decoder: they refuse files that are made to be slow, and limit the pixels decoded at once.

Limits on bytes and pixels do not bound a decoder's time. A progressive JPEG can repeat its scans: each takes some ten
bytes of the file and a pass over all the pixels. And Pillow parses a header of millions of tiny parts one by one, in
Python. No camera and no program writes such files.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_SCANS = 50
"""Limit for a JPEG. Encoders write 10 to 20 scans; each costs up to 0.1 s at 50 megapixels."""
_MOST_STEPS = 20_000
"""Limit for a header. A step is a byte outside a JPEG's segments, so that each marker counts two, or a PNG's chunk."""
_MOST_METADATA = 1_000
"""Limit for a PNG's chunks other than pixels. Programs write a few dozen; a bomb packs a megabyte into each."""

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Markers that a length follows, and the end of the image. Not padding, markers that stand alone, or a pixel's 0xFF.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_PNG_SIGNATURE_BYTES = 8


def structure_problem(photo: bytes) -> str | None:
    """Say in a few words why no decoder should get this JPEG or PNG file; None if there is no reason.

    WebP needs no such look: its library is C throughout, and takes time for the pixels alone.
    """
    if photo.startswith(b"\xff\xd8"):
        return _jpeg_problem(photo)
    if photo.startswith(b"\x89PNG"):
        return _png_problem(photo)
    return None


def _jpeg_problem(photo: bytes) -> str | None:
    # Within the image these two bytes always begin a scan; behind it, in a film for example, they may mean anything.
    look_at_scans = photo.count(b"\xff\xda") > _MOST_SCANS
    position, steps, scans = 2, 0, 0
    while found := _MARKER.search(photo, position):
        steps += 2 if scans else found.end() - position
        position = found.end()
        code = found[1][0]
        scans += code == _START_OF_SCAN
        if scans > _MOST_SCANS:
            return f"more than {_MOST_SCANS} scans"
        if steps > _MOST_STEPS:
            return "too many parts"
        if scans and (code == _END_OF_IMAGE or not look_at_scans):
            break
        if code != _END_OF_IMAGE:  # if it comes before any scan, Pillow reads on
            position += int.from_bytes(photo[position : position + 2], "big")
    return "too many parts" if not scans and steps + len(photo) - position > _MOST_STEPS else None


def _png_problem(photo: bytes) -> str | None:
    position, chunks, metadata = _PNG_SIGNATURE_BYTES, 0, 0
    while position < len(photo) and (kind := photo[position + 4 : position + 8]) != b"IEND":
        chunks += 1
        metadata += kind != b"IDAT"
        if chunks > _MOST_STEPS or metadata > _MOST_METADATA:
            return "too many parts"
        position += 12 + int.from_bytes(photo[position : position + 4], "big")
    return None


class PixelBudget:
    """Limits how many pixels all threads together decode at once, and so the memory that decoding takes.

    A photo that does not fit waits. The next ones wait behind it, so that small photos never starve a large one.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._held = 0

    @contextmanager
    def hold(self, pixels: int, most: int) -> Iterator[None]:
        """Hold `pixels` for the block. Wait until all that is held fits into `most`, or until nothing else is held."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + pixels <= most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify()

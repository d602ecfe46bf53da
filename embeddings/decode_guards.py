"""Guards around a photo's decoder: files that no decoder should be given, and how many pixels are decoded at once.

Limits on bytes and pixels do not bound a decoder's time: a progressive JPEG may repeat its scans, each over all pixels
for some ten bytes, and Python takes headers of millions of tiny parts apart one by one. No camera and no program writes
such files.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_SCANS = 50
"""Of a JPEG. Encoders make 10 to 20; one costs up to 0.1 s at 50 megapixels."""
_MOST_STEPS = 20_000
"""Of a JPEG's header: bytes outside its segments, two of which are each segment's marker. Of a PNG: chunks."""

_MOST_METADATA = 1_000
"""Chunks of a PNG beside its pixels. Programs write a few dozen; a bomb packs a megabyte into each."""

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# With a length behind it, or the end. Not: an escaped 0xFF among the pixels, padding, and what stands alone.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_PNG_SIGNATURE_BYTES = 8


def structure_problem(photo: bytes) -> str | None:
    """Why no decoder should be given this JPEG or PNG file, in a few words; None if nothing speaks against it.

    WebP is left to its own library: it is C throughout, and its time goes with the pixels.
    """
    if photo.startswith(b"\xff\xd8"):
        return _jpeg_problem(photo)
    if photo.startswith(b"\x89PNG"):
        return _png_problem(photo)
    return None


def _jpeg_problem(photo: bytes) -> str | None:
    # Among the pixels these two bytes are always a scan's start; behind the image (a film, say) they may be anything.
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
        if code != _END_OF_IMAGE:  # before any scan Pillow reads on
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
    """Limits how many pixels all threads decode at once, which bounds the memory of a process that decodes.

    A photo that does not fit waits for its turn, first come, first served, so that small photos never starve a large
    one.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._held = 0

    @contextmanager
    def hold(self, pixels: int, most: int) -> Iterator[None]:
        """Hold `pixels` for the block; waits until they fit beside what others hold (`most` in all), or nobody does."""
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._held == 0 or self._held + pixels <= most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify()

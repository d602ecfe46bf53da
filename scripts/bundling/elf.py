"""What a shared library says of itself: its machine, and which libraries it needs.

Both architectures of Lambda are 64-bit and little-endian. https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from typing import NamedTuple

_LITTLE_64 = b"\x7fELF\x02\x01"
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


class SharedLibrary(NamedTuple):
    """The part of an ELF file that decides whether it can be loaded."""

    machine: int
    """`e_machine`."""
    needed: tuple[str, ...]
    """File names of other libraries."""


class _Segment(NamedTuple):
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int


def read_elf(content: bytes) -> SharedLibrary:
    """Read a shared library's header and dynamic section.

    Raises:
        ValueError: not a 64-bit little-endian ELF file.
    """
    if not content.startswith(_LITTLE_64):
        raise ValueError("not a 64-bit little-endian ELF file")
    (machine,) = struct.unpack_from("<H", content, 18)
    (table,) = struct.unpack_from("<Q", content, 32)
    entry_size, count = struct.unpack_from("<HH", content, 54)
    segments = [_Segment(*struct.unpack_from("<IIQQQQ", content, table + row * entry_size)) for row in range(count)]
    dynamic = [
        struct.unpack_from("<qQ", content, offset)
        for segment in segments
        if segment.kind == _PT_DYNAMIC
        for offset in range(segment.offset, segment.offset + segment.size, 16)
    ]
    names = [_in_file(value, segments) for tag, value in dynamic if tag == _DT_STRTAB]
    needed = tuple(
        content[names[0] + value : content.index(b"\0", names[0] + value)].decode()
        for tag, value in dynamic
        if tag == _DT_NEEDED
    )
    return SharedLibrary(machine, needed)


def _in_file(address: int, segments: list[_Segment]) -> int:
    """Where in the file lies what is at `address` in memory."""
    for segment in segments:
        if segment.kind == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise ValueError(f"address {address:#x} is in no segment of the file")

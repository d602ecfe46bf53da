"""Read a shared library's header: the machine it is for, and the libraries it needs; leave out what no process loads.

Lambda's architectures are both 64-bit and little-endian. https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from typing import NamedTuple

_LITTLE_64 = b"\x7fELF\x02\x01"
_HEADER_BYTES, _SECTIONS_OFFSET, _SECTIONS_COUNT = 64, 40, 60
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


class SharedLibrary(NamedTuple):
    """The parts of an ELF file that decide whether it can be loaded."""

    machine: int
    """`e_machine`."""
    needed: tuple[str, ...]
    """File names of the libraries it needs."""


class _Segment(NamedTuple):
    type: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int


def read_elf(content: bytes) -> SharedLibrary:
    """Read a shared library's header and dynamic section.

    Raises:
        ValueError: the content is not a 64-bit little-endian ELF file.
    """
    segments = _segments(content)
    (machine,) = struct.unpack_from("<H", content, 18)
    dynamic = [
        struct.unpack_from("<qQ", content, offset)
        for segment in segments
        if segment.type == _PT_DYNAMIC
        for offset in range(segment.offset, segment.offset + segment.size, 16)
    ]
    names = [_in_file(value, segments) for tag, value in dynamic if tag == _DT_STRTAB]
    needed = tuple(
        content[names[0] + value : content.index(b"\0", names[0] + value)].decode()
        for tag, value in dynamic
        if tag == _DT_NEEDED
    )
    return SharedLibrary(machine, needed)


def _segments(content: bytes) -> list[_Segment]:
    if not content.startswith(_LITTLE_64):
        raise ValueError("not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", content, 32)
    entry_size, count = struct.unpack_from("<HH", content, 54)
    return [_Segment(*struct.unpack_from("<IIQQQQ", content, table + row * entry_size)) for row in range(count)]


def loaded_parts(content: bytes) -> bytes:
    """Return a shared library without the symbol tables and debug sections that a process never loads.

    The loader reads segments alone; sections are for linkers and debuggers. What no segment covers becomes zeros, or is
    cut off at the end of the file. Everything else stays at its offset.

    Raises:
        ValueError: the content is not a 64-bit little-endian ELF file.
    """
    segments = _segments(content)
    header = bytearray(content[:_HEADER_BYTES])
    struct.pack_into("<Q", header, _SECTIONS_OFFSET, 0)
    struct.pack_into("<HH", header, _SECTIONS_COUNT, 0, 0)
    kept = bytearray(max(segment.offset + segment.size for segment in segments))
    for segment in segments:
        part = slice(segment.offset, segment.offset + segment.size)
        kept[part] = content[part]
    kept[:_HEADER_BYTES] = header
    return bytes(kept)


def _in_file(address: int, segments: list[_Segment]) -> int:
    """Return the offset in the file of what is loaded at `address`."""
    for segment in segments:
        if segment.type == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise ValueError(f"no segment of the file has the address {address:#x}")

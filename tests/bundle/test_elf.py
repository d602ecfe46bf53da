"""Shared libraries without the sections that no process loads."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from scripts.bundling.elf import loaded_parts, read_elf

_LIBRARY = Path(str(find_spec("obstore._obstore").origin))  # type: ignore[union-attr]  # it has a symbol table


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no ELF files")
def test_a_library_without_its_symbol_table_still_loads(tmp_path: Path) -> None:
    content = _LIBRARY.read_bytes()
    smaller = loaded_parts(content)
    assert len(smaller) < 0.95 * len(content)
    assert read_elf(smaller) == read_elf(content)
    assert loaded_parts(smaller) == smaller
    copy = tmp_path / _LIBRARY.name
    copy.write_bytes(smaller)
    code = (
        "import sys; from importlib.machinery import ExtensionFileLoader; from importlib.util import *\n"
        "loader = ExtensionFileLoader('obstore._obstore', sys.argv[1])\n"
        "print(module_from_spec(spec_from_loader('obstore._obstore', loader)).__name__)"
    )
    loaded = subprocess.run([sys.executable, "-c", code, copy], capture_output=True, text=True, check=True)
    assert loaded.stdout == "obstore._obstore\n"


def test_what_is_no_library_is_refused() -> None:
    with pytest.raises(ValueError, match="not a 64-bit little-endian ELF file"):
        loaded_parts(b"\x7fELF\x01")

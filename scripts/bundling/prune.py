"""Decide which files of the wheels a Lambda function needs. Found by trial; the rehearsal proves it for each bundle."""

from fnmatch import fnmatchcase
from pathlib import Path

from scripts.bundling.elf import loaded_parts, read_elf

# Sources stay, because stack traces need them. METADATA stays for scanners of known vulnerabilities.
_KEPT = ("*.py", "*.so", "*.so.*", "*.dist-info/METADATA", "*.dist-info/licenses/*")

_PRUNED = (
    "*/tests/*",
    # LiteRT: only the interpreter stays. libLiteRt.so serves the newer CompiledModel API; without it imports are faster
    # and every model gives the same answers.
    "ai_edge_litert/aot/*",
    "ai_edge_litert/tflite/*",
    "ai_edge_litert/tools/*",
    "ai_edge_litert/vendors/*",
    "ai_edge_litert/libLiteRt.so",
    "ai_edge_litert/libLiteRt*Accelerator.so",
    "ai_edge_litert/*_pb2.py",
    "ai_edge_litert/schema_py_generated.py",
    # numpy: tools to build extensions and to test, and modules that it loads when they are first used
    "numpy/_core/_simd.*.so",
    "numpy/_core/*_tests.*.so",
    "numpy/_pyinstaller/*",
    "numpy/conftest.py",
    "numpy/doc/*",
    "numpy/f2py/*",
    "numpy/fft/*",
    "numpy/ma/*",
    "numpy/polynomial/*",
    "numpy/random/*",
    "numpy/testing/*",
    # Pillow: AVIF, fonts and Tk; embeddings.preprocess opens JPEG, PNG and WebP only
    "PIL/_avif.*.so",
    "PIL/_imagingft.*.so",
    "PIL/_imagingtk.*.so",
)


_EMPTIED = ("numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py")
"""Modules that only attach docstrings to C functions, which takes a tenth of numpy's import."""


def is_needed(path: str) -> bool:
    """Return whether a bundle keeps this file of a wheel; `shrink` finds more to leave out."""
    return any(fnmatchcase(path, pattern) for pattern in _KEPT) and not any(
        fnmatchcase(path, pattern) for pattern in _PRUNED
    )


def shrink(tree: Path) -> None:
    """Take out of unpacked wheels what is never used, and what is used but does nothing."""
    for library in _unused_libraries(tree):
        library.unlink()
    for library in shared_libraries(tree):
        library.write_bytes(loaded_parts(library.read_bytes()))
    for module in _EMPTIED:
        (tree / module).write_text('"""Emptied: docstrings."""\n')


def _unused_libraries(tree: Path) -> list[Path]:
    """List the libraries in the wheels' `*.libs` folders that no extension module needs, directly or indirectly."""
    libraries = {path.name: path for path in tree.glob("*.libs/*")}
    reached: set[str] = set()
    pending = [path for path in shared_libraries(tree) if path.name not in libraries]
    while pending:
        for name in read_elf(pending.pop().read_bytes()).needed:
            if name in libraries and name not in reached:
                reached.add(name)
                pending.append(libraries[name])
    return [path for name, path in libraries.items() if name not in reached]


def shared_libraries(tree: Path) -> list[Path]:
    """List all shared libraries, extension modules included."""
    return sorted(tree.rglob("*.so*"))

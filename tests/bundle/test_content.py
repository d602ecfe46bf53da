"""The content of a bundle."""

import struct
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.bundling.archive import MOST_UNPACKED, MOST_ZIPPED
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.target import ROOT, TASK_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # the first one downloads and builds

NEEDED = (
    "functions/aws.py",
    "functions/search/openapi.json",
    "functions/search/reference.html",
    "embeddings/words/en.toml",
    "embeddings/pretrained/garment.json",
    "embeddings/pretrained/garment.tflite",
    "embeddings/rebuild/run.py",
    "embeddings/storage/writers/s3.py",
    "ai_edge_litert/interpreter.py",
    "apig_wsgi/__init__.py",
    "multipart.py",
    "numpy/__init__.py",
    "obstore/_obstore.abi3.so",
    "PIL/Image.py",
    "numpy-*.dist-info/METADATA",
    "pillow-*.dist-info/licenses/LICENSE",
)
NOT_NEEDED = (
    *("functions/main.py", "functions/requirements.txt", "embeddings/training/*", "embeddings/storage/writers/gcs.py"),
    *("tests/*", "*/tests/*", "scripts/*", "site/*", "*.pyi", "*.h", "*.a", "numpy/f2py/*", "numpy/testing/*"),
    *("numpy/fft/*", "numpy/ma/*", "numpy/random/*"),
    *("*libLiteRtWebGpu*", "*/libLiteRt.so", "ai_edge_litert/vendors/*", "ai_edge_litert/tools/*", "*benchmark*"),
    *("PIL/_avif*", "pillow.libs/libavif*", "pillow.libs/libfreetype*", "*/RECORD"),
    *(f"{name}/*" for name in ("tensorflow", "keras", "boto3", "botocore", "google", "flask", "werkzeug", "tqdm")),
)


@pytest.fixture(params=["x86_64", "arm64"])
def bundle(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(f"bundle_{request.param}"))


def test_it_is_within_its_budget(bundle: Path) -> None:
    with ZipFile(bundle) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) <= MOST_UNPACKED
    assert bundle.stat().st_size <= MOST_ZIPPED


def test_it_has_what_it_needs_and_no_more(bundle: Path) -> None:
    with ZipFile(bundle) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    assert [pattern for pattern in NEEDED if not any(fnmatchcase(name, pattern) for name in names)] == []
    assert [name for name in names if any(fnmatchcase(name, pattern) for pattern in NOT_NEEDED)] == []


def test_entries_are_in_order_with_one_permission_and_time(bundle: Path) -> None:
    with ZipFile(bundle) as archive:
        paths = [Path(name) for name in archive.namelist()]
        ours = [path for path in paths if path.parts[0] in ("embeddings", "functions")]
        assert paths == [*sorted(set(paths) - set(ours)), *sorted(ours)]
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_module_is_compiled_and_never_compared_with_its_source(
    bundle: Path, bundle_interpreter: Interpreter
) -> None:
    """PEP 552: the flags 1 mean an unchecked hash."""
    code = "import importlib.util, sys; sys.stdout.write(importlib.util.MAGIC_NUMBER.hex())"
    magic = subprocess.run([bundle_interpreter.path, "-c", code], capture_output=True, check=True).stdout.decode()
    with ZipFile(bundle) as archive:
        names = set(archive.namelist())
        sources = {Path(name) for name in names if name.endswith(".py")}
        compiled = {f"{source.parent}/__pycache__/{source.stem}.cpython-313.pyc" for source in sources}
        assert {str(Path(name)) for name in compiled} == {name for name in names if name.endswith(".pyc")}
        for name in (name for name in names if name.endswith(".pyc")):
            content = archive.read(name)
            assert (content[:4].hex(), struct.unpack_from("<I", content, 4)) == (magic, (1,)), name
            assert str(ROOT).encode() not in content
        traced = archive.read("functions/__pycache__/aws.cpython-313.pyc")
    assert f"{TASK_ROOT}/functions/aws.py".encode() in traced


@pytest.mark.parametrize(("arch", "machine"), [("x86_64", 62), ("arm64", 183)])
def test_every_library_is_for_its_machine(arch: str, machine: int, request: pytest.FixtureRequest) -> None:
    with ZipFile(request.getfixturevalue(f"bundle_{arch}")) as archive:
        headers = [archive.read(name)[:20] for name in archive.namelist() if ".so" in Path(name).name]
    assert len(headers) > 30
    assert {header[:4] for header in headers} == {b"\x7fELF"}
    assert {struct.unpack_from("<H", header, 18)[0] for header in headers} == {machine}

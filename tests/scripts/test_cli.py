"""Every command has the common look, explains itself, and is documented."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from embeddings.errors import NoIndexError
from scripts.cli.command import run_command

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(
    file.name
    for file in (ROOT / "scripts").glob("*.py")
    if '__name__ == "__main__"' in file.read_text(encoding="utf-8")
)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_MARKS = dict.fromkeys(("convert.py", "train.py"), pytest.mark.slow)  # they import Keras, except for --help


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"scripts.{name.removesuffix('.py')}")


def _help(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        _module(name).main(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def _options_in_use(text: str) -> set[tuple[str, str]]:
    """List (command, option) for every call of a script in a text; a backslash continues a call on the next line."""
    calls = re.findall(r"scripts/(\w+\.py)([^`#|;\n]*)", text.replace("\\\n", " "))
    return {(name, option) for name, rest in calls for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)}


def test_no_help_waits_for_keras():
    parsers = "".join(f"import scripts.{name.removesuffix('.py')}; " for name in COMMANDS)
    subprocess.run(
        [sys.executable, "-c", parsers + "import sys; assert 'keras' not in sys.modules"], cwd=ROOT, check=True
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_exit_codes_and_examples_with_options_that_exist(name: str, capsys: pytest.CaptureFixture[str]):
    said = _help(name, capsys)
    assert re.search(rf"^    python scripts/{name}", said, re.MULTILINE)
    assert "exit codes:" in said
    listed = set(re.findall(r"--[a-z][\w-]*", said.partition("options:\n")[2]))
    documents = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    for command, option in _options_in_use(said + documents):
        assert command != name or option in listed, f"{name} has no option {option}"


def test_the_documents_list_exactly_the_commands_that_exist():
    listed = re.findall(r"^\| `scripts/(\w+\.py)`", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == COMMANDS
    for document in DOCUMENTS:
        for name in re.findall(r"scripts/(\w+\.py)", document.read_text(encoding="utf-8")):
            assert (ROOT / "scripts" / name).is_file(), f"{document.name} names scripts/{name}"


# Mistakes of users: the arguments, the exit code, and a part of the message.
MISTAKES: dict[str, tuple[str, int, str]] = {
    "benchmark.py": ("--photos nowhere --work x", 1, "nowhere: no photo"),
    "bundle.py": ("--arch arm64 --out .", 1, "is a folder"),
    "convert.py": ("--run nowhere --data nowhere --out x.tflite", 1, "nowhere"),
    "costs.py": ("--rows 0", 2, "not a whole number above 0"),
    "demo.py": ("--gallery nowhere --port 18391 --page-port 18392", 1, "there is no folder"),
    "deploy_page.py": ("--service https://search.example.com --to ftp://page", 1, "s3://bucket/prefix"),
    "drawn_gallery.py": ("file --count 1", 1, "file"),
    "evaluate.py": ("--data nowhere --model nowhere.tflite --out x", 1, "nowhere"),
    "index_report.py": ("--index nowhere", 1, "there is no index yet"),
    "performance_tables.py": ("nowhere.json", 1, "nowhere.json: No such file"),
    "query.py": ("nowhere.jpg --index nowhere", 1, "nowhere.jpg: No such file"),
    "rebuild_embeddings.py": ("--gallery nowhere --index x", 1, "there is no such folder"),
    "reference.py": ("--out nowhere/page.html", 1, "nowhere/page.html: No such file"),
    "train.py": ("--data nowhere --run x --weights imagenet", 1, "labels.csv"),
}


def test_every_command_has_a_mistake_to_try():
    assert sorted(MISTAKES) == COMMANDS


@pytest.mark.parametrize("name", [pytest.param(name, marks=_MARKS.get(name, ())) for name in COMMANDS])
def test_a_mistake_gives_one_line_and_no_stack_trace(name: str, tmp_path: Path):
    arguments, code, message = MISTAKES[name]
    (tmp_path / "file").write_text("no folder")
    command = [sys.executable, str(ROOT / "scripts" / name), *arguments.split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == code, done.stderr
    assert re.match(r"(demo|(\w+\.py: )?error): ", last)
    assert message in last
    assert "Traceback" not in done.stderr


def test_measuring_nothing_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        _module("evaluate.py").main(["--data", "photos", "--out", "x"])
    assert ended.value.code == 2
    assert "give --model, --baselines or both" in capsys.readouterr().err


def test_the_exit_code_follows_from_the_outcome(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    class TooFewError(Exception):
        pass

    def fails(error: BaseException) -> int:
        def command() -> None:
            raise error

        return run_command(command, interrupted="interrupted; do it again", errors=(TooFewError,))

    assert run_command(lambda: None) == 0
    assert run_command(lambda: 3) == 3
    assert capsys.readouterr().err == ""
    for error in (NoIndexError("too few"), TooFewError("too few")):
        assert fails(error) == 1
        assert capsys.readouterr().err == "error: too few\n"
    (tmp_path / "none").touch()
    assert run_command(lambda: (tmp_path / "none" / "more").touch()) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'none' / 'more'}: Not a directory\n"
    assert fails(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.strip() == "interrupted; do it again"
    with pytest.raises(ZeroDivisionError):  # a bug keeps its stack trace
        fails(ZeroDivisionError())
    with pytest.raises(OSError, match="no file"):
        fails(OSError("no file"))

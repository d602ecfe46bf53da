import json
import subprocess
import sys
from pathlib import Path

import pytest

from embeddings.index.manifest import POINTER
from scripts.rebuild_embeddings import main
from tests.rebuild.gallery import MODEL, Shop

SCRIPT = Path(__file__).parents[2] / "scripts" / "rebuild_embeddings.py"


def run(shop: Shop, *more: str) -> int:
    return main(["--gallery", shop.gallery, "--index", shop.index, "--model", str(MODEL), *more])


def test_as_a_program_from_anywhere(shop: Shop, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--gallery", "gallery", "--index", "index", "--model", str(MODEL)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("published: 3 added, 0 changed, 0 removed, 0 failed; 3 images in the index")
    assert len(shop.load().gallery) == 3


def test_the_progress_bar_shows_rate_and_time_left_on_a_terminal(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shop)
    assert "photo/s" not in capsys.readouterr().err, "a log file needs no bar"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run(shop, "--full")
    bar = capsys.readouterr().err
    assert "3/3" in bar
    assert "photo/s" in bar


def test_exit_codes(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shop) == 0
    assert run(shop) == 0
    assert "unchanged" in capsys.readouterr().out
    shop.put({"bad.jpg": b"text"})
    assert run(shop) == 3
    said = capsys.readouterr().out
    assert "1 failed (1 of them new)" in said
    assert "'bad.jpg': this is not a JPEG" in said
    assert run(shop) == 0, "known by now"
    assert "'bad.jpg': this is not a JPEG" in capsys.readouterr().out
    assert main(["--index", shop.index, "--rollback"]) == 0
    assert run(shop) == 4
    assert main(["--index", shop.index, "--release"]) == 0
    assert run(shop) == 3
    with pytest.raises(SystemExit, match="2"):
        main(["--index", shop.index])
    for more in (["--release"], ["--dry-run"], ["--json"], ["--gallery", shop.gallery]):
        with pytest.raises(SystemExit, match="2"):
            main(["--index", shop.index, "--rollback", *more])


def test_json_holds_the_summary(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    run(shop, "--json")
    summary = json.loads(capsys.readouterr().out)
    assert (summary["outcome"], summary["added"], summary["count"]) == ("published", 3, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gallery", "missing", "--index", "i"], "no such folder"),
        (["--gallery", ".", "--index", "i"], "one inside the other"),
        (["--gallery", "ftp://x", "--index", "i"], "s3://bucket/prefix"),
        (["--gallery", "gallery", "--index", "i", "--model", "none.tflite"], "cannot read the model"),
        (["--index", "i", "--rollback"], "no index to roll back"),
        (["--index", "i", "--release"], "no index to release"),
    ],
)
def test_a_mistake_gives_one_line_and_no_stack_trace(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(Path(shop.gallery).parent)
    assert main(arguments) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ")
    assert message in said


def test_a_dry_run_and_an_interruption_do_not_change_the_index(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shop, "--dry-run") == 0
    assert "dry run: 3 added" in capsys.readouterr().out

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("embeddings.embedder.Embedder.describe_pixels", interrupted)
    assert run(shop) == 130
    assert "checkpoint" in capsys.readouterr().err
    assert not (Path(shop.index) / POINTER).exists()


def test_shards_and_their_merge(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.put({"bad.jpg": b"text"})
    for shard in ("1/2", "2/2"):
        assert run(shop, "--run", "first", "--shard", shard) == 0, "the merge says what could not be read"
        assert capsys.readouterr().out.endswith(f"\nrun: first, shard {shard}\n")
    assert not (Path(shop.index) / POINTER).exists()
    assert run(shop, "--merge", "first") == 3
    said = capsys.readouterr().out
    assert said.startswith("published: 3 added, 0 changed, 0 removed, 1 failed (1 of them new); 3 images in the index")
    assert "'bad.jpg': this is not a JPEG" in said
    assert run(shop, "--merge", "first", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "unchanged"
    assert run(shop, "--merge", "second") == 1
    assert capsys.readouterr().err.startswith("error: there is no run second in this index")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--run r --shard x",
            "argument --shard: 'x' is not a shard; give its number and how many there are, such as 3/16",
        ),
        ("--run r --shard 0/4", "argument --shard: '0/4' is not a shard: they go from 1/4 to 4/4"),
        ("--run r --shard 5/4", "argument --shard: '5/4' is not a shard: they go from 1/4 to 4/4"),
        ("--run r --shard 1/0", "argument --shard: '1/0' is not a shard: there must be from 1 to 10,000 of them"),
        ("--run a/b --shard 1/4", "argument --run: 'a/b' is not a run id; give up to 64 letters, digits"),
        ("--merge a/b", "argument --merge: 'a/b' is not a run id; give up to 64 letters, digits"),
        ("--merge ..", "argument --merge: '..' is not a run id"),
        ("--shard 1/4", "--shard needs --run and --run needs --shard; to publish a run, give --merge alone"),
        ("--run r", "--shard needs --run and --run needs --shard; to publish a run, give --merge alone"),
        ("--run r --merge r", "--shard needs --run and --run needs --shard; to publish a run, give --merge alone"),
        ("--run r --shard 1/4 --merge r", "argument --merge: not allowed with argument --shard"),
        ("--run r --shard 1/4 --rollback", "argument --rollback: not allowed with argument --shard"),
        ("--run r --shard 1/4 --dry-run", "--dry-run does not work with --shard or --merge"),
        ("--merge r --dry-run", "--dry-run does not work with --shard or --merge"),
    ],
)
def test_wrong_arguments_of_shards(
    shop: Shop, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(shop, *arguments.split())
    assert message in capsys.readouterr().err
    assert not Path(shop.index).exists()

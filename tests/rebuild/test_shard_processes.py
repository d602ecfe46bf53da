"""Shards in processes of their own: several at once, the same one twice, some of them killed."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from embeddings.errors import NotFoundError
from embeddings.rebuild import Shard
from tests.rebuild.gallery import MODEL, Shop

COLOURS = ["red", "green", "blue", "orange", "purple", "black", "pink", "navy", "olive", "teal"]
KEYS = [f"{number:03d}.jpg" for number in range(150)]
GRAIN = 5

COMMAND = f"""
import sys
from scripts.rebuild_embeddings import main
from tests.rebuild.hanging import hang_after
hang_after(saved=int(sys.argv[1]), grain={GRAIN})
sys.exit(main(sys.argv[2:]))
"""


Process = subprocess.Popen[str]


@pytest.fixture
def start(shop: Shop) -> Iterator[Callable[..., Process]]:
    """Start the command with more options. What still runs at the end of the test is killed."""
    places = ["--gallery", shop.gallery, "--index", shop.index]
    with ExitStack() as running:

        def start(*more: str, hangs_after: int = 1000) -> Process:
            process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(hangs_after), *places, "--model", str(MODEL), *more],
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield start


def ended(process: Process) -> tuple[int, str]:
    """Wait for the end; return the exit code and the output."""
    said, errors = process.communicate(timeout=500)
    return process.returncode, said + errors


def checkpoints(shop: Shop, number: int) -> list[str]:
    with suppress(NotFoundError):  # the folder does not exist yet
        return shop.paths(f"runs/big/{number}-of-3/")
    return []


@pytest.mark.slow
def test_shards_that_are_killed_repeated_and_run_twice_at_once(shop: Shop, start: Callable[..., Process]) -> None:
    shop.put({key: COLOURS[number % 10] for number, key in enumerate(KEYS)})
    share = sum(key in Shard(2, 3) for key in (*KEYS, "shirts/red.jpg", "shirts/blue.jpg", "shoes/green.jpg"))
    run = ("--run", "big", "--shard")
    hanging = {number: start(*run, f"{number}/3", hangs_after=2 * GRAIN) for number in (1, 2)}
    for number, process in hanging.items():
        while len(checkpoints(shop, number)) < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
    twin, third = start(*run, "1/3"), start(*run, "3/3")
    for process in hanging.values():
        process.send_signal(signal.SIGKILL)
        assert ended(process)[0] == -signal.SIGKILL
    for process in (twin, third):
        code, said = ended(process)
        assert code == 0, said
        assert re.match(r"shard done: \d+ added, .* images in this shard; (?s:.)*\nrun: big, shard [13]/3", said), said
    saved = GRAIN * len(checkpoints(shop, 2))
    assert 2 * GRAIN <= saved < share

    code, said = ended(start("--merge", "big"))
    assert code == 1
    assert "error: run big is not complete, so nothing was published: 2/3 missing. For each, run this command" in said
    assert shop.paths("generations/") == []

    again = [start(*run, "2/3") for _ in range(2)]
    for process in again:
        code, said = ended(process)
        assert code == 0, said
        assert said.startswith(f"shard done: {share} added, 0 changed, 0 removed, 0 failed; {share} images in this")
    merges = [ended(start("--merge", "big")) for _ in range(2)]
    assert [code for code, _ in merges] == [0, 0], merges
    assert merges[0][1].startswith("published: 153 added, 0 changed, 0 removed, 0 failed; 153 images in the index")
    assert merges[1][1].startswith("unchanged: 0 added")
    assert len(shop.load().gallery) == 153
    # The killed twin has left nothing behind either.
    assert shop.paths("runs/") == ["runs/big/run.json"]
    assert shop.rebuild().embedded == 0

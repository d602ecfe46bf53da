"""Kill work at each call of storage, in a process each: python -m tests.trust.killed TEMPLATE FOLDER WORK.

Copies TEMPLATE to FOLDER/0, FOLDER/1 ... and starts the work there, `rebuild` or `shards`, until it survives.
"""

import os
import shutil
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

from embeddings.rebuild import Shard
from tests.rebuild.gallery import Shop
from tests.trust.faults import Fault, injected


def rebuild(shop: Shop) -> None:
    shop.rebuild()


def shards(shop: Shop) -> None:
    """A whole shard run, one shard after the other."""
    for number in (1, 2):
        shop.rebuild(run="first", shard=Shard(number, 2))
    shop.rebuild(run="first")


def main(template: Path, folder: Path, work: Callable[[Shop], None]) -> None:
    for at in count():
        place = shutil.copytree(template, folder / str(at))  # keeps the files' times, which are their ETags
        child = os.fork()
        if child == 0:
            with injected(Fault("kill", at)):
                work(Shop(str(place / "gallery"), str(place / "index")))
            os._exit(0)
        _, status = os.wait()
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), {"rebuild": rebuild, "shards": shards}[sys.argv[3]])

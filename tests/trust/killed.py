"""Rebuilds that are killed at each call of storage, one process each: python -m tests.trust.killed TEMPLATE FOLDER.

Makes FOLDER/0, FOLDER/1 ... from TEMPLATE, until a rebuild comes to its end.
"""

import os
import shutil
import sys
from itertools import count
from pathlib import Path

from tests.rebuild.gallery import Shop
from tests.trust.faults import Fault, injected


def main(template: Path, folder: Path) -> None:
    for at in count():
        place = shutil.copytree(template, folder / str(at))  # with the times of the files, which are their ETags
        child = os.fork()
        if child == 0:
            with injected(Fault("kill", at)):
                Shop(str(place / "gallery"), str(place / "index")).rebuild()
            os._exit(0)
        _, status = os.wait()
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

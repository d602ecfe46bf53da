"""Coverage-guided fuzzing with atheris: python tests/fuzz/fuzz.py preprocess --seconds 300 --found /tmp/found.

Not a test of its own, as atheris has wheels for Linux and some Pythons only: `pip install atheris` first. What it finds
that is worth keeping goes into `corpus/`, which `test_corpus.py` replays; see README.md beside this file.
"""

import argparse
import sys
import warnings
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

with atheris.instrument_imports(include=["PIL", "multipart", "functions", "embeddings"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--found", type=Path, required=True, help="folder for new inputs, and for what crashes")
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-artifact_prefix={options.found}/crash-",
            f"-dict={HERE / 'words.txt'}",
            "-max_len=4096",
            "-timeout=10",  # seconds for one input
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-use_value_profile=0",
            str(options.found),
            str(HERE / "corpus" / options.target),
        ],
        TARGETS[options.target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Write the API reference that the service shows under /docs.

    python scripts/reference.py
    python scripts/reference.py --out reference.html

The page is one HTML file with no script and no other files. It is committed: write it again after you change
functions/search/openapi.json, docs/errors.md or the template in scripts/api_reference/.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.api_reference.page import reference_page
from scripts.cli.command import command_parser, run_command

PAGE = Path(__file__).resolve().parent.parent / "functions" / "search" / "reference.html"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, help="the file to write (default: the service's own page)")
    options = parser.parse_args(arguments)
    return run_command(lambda: _write(options))


def _write(options: argparse.Namespace) -> None:
    options.out.write_text(reference_page(), encoding="utf-8")
    print(options.out)


if __name__ == "__main__":
    sys.exit(main())

"""The Markdown documents, parsed: code, links, headings, tables."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)((?: {4}.*\n|\n(?= {4}))+)")
_SPAN = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Document:
    """A Markdown file of the repository."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> list[str]:
        """Fenced and indented code blocks. A line that ends with a backslash is joined to the next."""
        outside = _FENCED.sub("", self.text)
        return [block.replace("\\\n", " ") for block in _FENCED.findall(self.text) + _INDENTED.findall(outside)]

    @cached_property
    def spans(self) -> list[str]:
        """Code spans in prose, without line breaks."""
        prose = _INDENTED.sub("", _FENCED.sub("", self.text))
        return [" ".join(span.split()) for span in _SPAN.findall(prose)]

    @property
    def code(self) -> list[str]:
        """All blocks and spans."""
        return self.blocks + self.spans

    @cached_property
    def links(self) -> list[str]:
        """Targets of links and pictures inside the repository: file, #anchor or both."""
        targets = re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", self.text))
        return [target for target in targets if "://" not in target]

    @cached_property
    def anchors(self) -> set[str]:
        """Anchors of the headings, as GitHub makes them."""
        headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", self.text), re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def section(self, heading: str) -> str:
        """Return the text from a heading to the next one of the same level."""
        level, _, _ = heading.partition(" ")
        _, _, rest = self.text.partition(f"\n{heading}\n")
        assert rest, f"{self} has no {heading!r}"
        return re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0]

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def document(name: str) -> Document:
    return Document(ROOT / name)


DOCUMENTS = [
    Document(path)
    for path in (
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").glob("*.md"),
    )
    if path.is_file()
]


def first_column(table: str) -> list[str]:
    """Return the code spans in the first column of a table."""
    return re.findall(r"^\| `([^`|]+)` \|", table, re.MULTILINE)

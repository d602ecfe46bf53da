"""Items of a feed in XML: RSS 2.0 (`item`) or Atom (`entry`), with the attributes of products in the namespace `g`.

https://support.google.com/merchants/answer/14987622
"""

from collections.abc import Callable, Iterator
from xml.sax import SAXException, SAXParseException  # their types; defusedxml parses
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from embeddings.errors import FeedError
from embeddings.products.records import (
    MOST_CELL_CHARACTERS,
    MOST_COLUMNS,
    Record,
    RowRefusal,
    cells_problem,
    column_name,
)

_GOOGLE = "http://base.google.com/ns/1.0"
_REPEATED = {"additional_image_link": ",", "product_type": " > "}
"""Elements that an item may have several times, and what joins them. Of others the first counts."""
_CHUNK_BYTES = 1 << 20


def read_items(content: bytes) -> Iterator[Record | RowRefusal]:
    """Read XML item by item.

    Raises:
        FeedError: it is not well-formed, declares entities, or has no items. Nobody knows what follows a mistake in
            XML, and a feed that is cut off would hide the products that it lacks.
    """
    parser = make_parser()
    items = _Items(parser.getLineNumber)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(items)
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            parser.feed(content[start : start + _CHUNK_BYTES])
            yield from items.take()
        parser.close()
    except DefusedXmlException as error:
        line = parser.getLineNumber()
        raise FeedError(f"line {line}: it declares entities, which no feed needs and attacks use") from error
    except SAXParseException as error:
        raise FeedError(f"line {error.getLineNumber()}: it is not well-formed XML: {error.getMessage()}") from error
    except (SAXException, ValueError, LookupError) as error:  # an encoding that Python does not know
        raise FeedError(f"line {parser.getLineNumber()}: it cannot be read as XML: {error}") from error
    if not items.count:
        raise FeedError(f"it has no <item> (RSS) and no <entry> (Atom), but a <{items.root}>")


class _Items(ContentHandler):
    """Gathers the children of each item."""

    def __init__(self, line_number: Callable[[], int]) -> None:
        super().__init__()
        self.root = ""
        self.count = 0
        self._line_number = line_number
        self._done: list[Record | RowRefusal] = []
        self._depth = 0
        self._item_depth = 0
        """The depth of the item that is being read; 0 outside of items."""
        self._line = 0
        self._cells: dict[bool, dict[str, str]] = {}
        """By whether they are in Google's namespace; those count before RSS's and Atom's own."""
        self._text: list[str] = []
        self._characters = 0
        self._problem: str | None = None

    def take(self) -> list[Record | RowRefusal]:
        """Return the items that were completed since the last call."""
        done, self._done = self._done, []
        return done

    # The names are the interface's.
    def startElementNS(  # noqa: N802
        self,
        name: tuple[str | None, str],
        qname: str | None,  # noqa: ARG002
        attrs: AttributesNSImpl,
    ) -> None:
        self._depth += 1
        if not self._item_depth:
            self.root = self.root or name[1]
            if name[1] in ("item", "entry"):
                self._item_depth, self._line = self._depth, self._line_number()
                self._cells, self._problem = {True: {}, False: {}}, None
        elif self._depth == self._item_depth + 1:
            self._text, self._characters = [], 0
            if name[1] == "link" and (None, "href") in attrs:  # Atom's
                self.characters(attrs[(None, "href")])

    def characters(self, content: str) -> None:
        if self._item_depth and self._depth == self._item_depth + 1:
            self._characters += len(content)
            if self._characters <= MOST_CELL_CHARACTERS:
                self._text.append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802, ARG002
        if self._item_depth:
            if self._depth == self._item_depth + 1:
                self._add(column_name(name[1]), self._cells[name[0] == _GOOGLE])
            elif self._depth == self._item_depth:
                self._close()
        self._depth -= 1

    def _add(self, name: str, cells: dict[str, str]) -> None:
        text = "".join(self._text).strip()
        if self._characters > MOST_CELL_CHARACTERS:
            self._problem = self._problem or f"{name} has more than {MOST_CELL_CHARACTERS:,} characters"
        if not text or not name:
            return
        if name not in cells:
            cells[name] = text
        elif name in _REPEATED:
            cells[name] += _REPEATED[name] + text
        if len(cells) > MOST_COLUMNS:
            self._problem = self._problem or f"it has more than {MOST_COLUMNS} attributes"

    def _close(self) -> None:
        cells = {**self._cells[False], **self._cells[True]}
        self._problem = self._problem or cells_problem(cells)
        if self._problem is None:
            self._done.append(Record(self._line, cells))
        else:
            self._done.append(RowRefusal(self._line, cells.get("id", "")[:100], self._problem))
        self._item_depth, self.count = 0, self.count + 1

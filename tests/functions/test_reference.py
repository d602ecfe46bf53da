"""The page under /docs: made by the generator, complete, and in need of nothing beside it."""

import re
from html.parser import HTMLParser

from scripts.api_reference.page import reference_page
from scripts.bundling.application import application_files
from scripts.reference import PAGE
from tests.functions.conftest import Service
from tests.functions.http_client import openapi


class Parts(HTMLParser):
    """The parts of a page: tags, ids, links, and attributes that load something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.add(str(given["href"]))
        self.loaded |= {name for name in given if name in ("src", "srcset", "style") or name.startswith("on")}


def test_the_committed_page_is_what_the_generator_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_page(), "run scripts/reference.py"


def test_every_link_on_it_leads_somewhere() -> None:
    parts = Parts(reference_page())
    assert len(parts.ids) == len(set(parts.ids))
    within = {link.removeprefix("#") for link in parts.links if link.startswith("#")}
    assert within - set(parts.ids) == set()
    assert parts.links - {f"#{each}" for each in within} == {"openapi.json", "https://www.rfc-editor.org/rfc/rfc9457"}


def test_it_has_every_error_route_parameter_and_header() -> None:
    page = reference_page()
    ids = set(Parts(page).ids)
    slugs = {
        each.rpartition(":")[2] for each in openapi()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    }
    operations = {operation["operationId"] for path in openapi()["paths"].values() for operation in path.values()}
    parameters = {f"parameter-{name}" for name in openapi()["components"]["parameters"]}
    assert slugs | operations | parameters <= ids
    for header in ("X-Request-Id", "Retry-After", "Allow", "Content-Security-Policy"):
        assert f"<dt><code>{header}</code></dt>" in page


def test_it_needs_nothing_beside_it() -> None:
    parts = Parts(reference_page())
    assert parts.loaded == set()
    assert not parts.tags & {"script", "link", "img", "iframe", "form", "object"}


def test_it_is_served_with_a_policy_that_allows_its_style_alone(service: Service) -> None:
    answer = service.get("/docs")
    assert answer.body == PAGE.read_bytes()
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; "
        r"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        answer.header("Content-Security-Policy") or "",
    )


def test_a_problem_says_where_it_is_explained(service: Service) -> None:
    """The address must not depend on what a client says: in a cache or a mail it could lead to a stranger."""
    problem = service.get("/nowhere", Host="evil.example", **{"X-Forwarded-Host": "evil.example"})
    path, _, anchor = problem.json["help"].partition("#")
    assert f'id="{anchor}"' in service.get(path).body.decode()
    assert b"evil" not in problem.body


def test_it_goes_into_the_bundle() -> None:
    assert PAGE in application_files()

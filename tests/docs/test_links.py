"""Every link has a target, and the README leads to every document."""

import re

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, Document, document


@pytest.mark.parametrize("source", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(source: Document) -> None:
    for link in source.links:
        name, _, anchor = link.partition("#")
        target = (source.path.parent / name).resolve() if name else source.path
        assert target.exists(), f"{source}: {link}"
        if anchor:
            assert anchor in Document(target).anchors, f"{source}: {link}: no such heading"


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        names = (link.partition("#")[0] for link in Document(path).links)
        waiting += [(path.parent / name).resolve() for name in names if name.endswith(".md")]
    assert [str(source) for source in DOCUMENTS if source.path not in reached] == []


_PATH = re.compile(r"(?<![\w/.{-])((?:\.ci|docs|embeddings|functions|infra|scripts|site|tests)/[\w./-]*)")


@pytest.mark.parametrize("source", DOCUMENTS, ids=str)
def test_every_file_it_names_exists(source: Document) -> None:
    for code in source.code:
        for path in _PATH.findall(code):
            assert (ROOT / path.rstrip(".")).exists(), f"{source}: {path}"


_MODULE = re.compile(r"(?<![\w/.-])(embeddings|functions|scripts)\.([a-z_]+)(?:\.(\w+))?(?![\w/(])")


@pytest.mark.parametrize("source", DOCUMENTS, ids=str)
def test_every_module_and_function_it_names_exists(source: Document) -> None:
    for span in source.spans:
        for package, module, name in _MODULE.findall(span):
            if module in ("yml", "json"):
                continue
            place = ROOT / package / module
            file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            assert file.is_file(), f"{source}: {span}"
            defined = rf"^(?:def|class) {name}\b|^{name}\b.* =" if name else ""
            assert re.search(defined, file.read_text(encoding="utf-8"), re.MULTILINE), f"{source}: {span}"


def test_the_parts_of_the_project_are_all_named() -> None:
    parts = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    parts |= {"infra", "site", "tests"}
    listed = re.findall(r"^    (\w+)/(?: |$)", document("docs/architecture.md").section("## The parts"), re.MULTILINE)
    assert set(listed) == parts

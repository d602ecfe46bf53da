"""The start of a process: what it imports, when it fetches, how it fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions.conftest import IMAGE_BASE, write_gallery
from tests.photos import photo

ROOT = Path(__file__).parents[2]


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh interpreter that knows nothing of this machine's accounts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def modules(code: str, **environment: str) -> set[str]:
    result = run(f"{code}\nimport sys; print('\\n'.join(sys.modules))", **environment)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


SEARCH = {"INDEX_URI": "s3://bucket/index", "IMAGE_BASE_URL": IMAGE_BASE}

NEVER_FOR_A_QUERY = {
    *("tensorflow", "keras", "matplotlib", "tqdm", "embeddings.training", "embeddings.rebuild", "scripts"),
    "embeddings.products",  # unless the index has products
    *("boto3", "botocore", "google.cloud.storage", "google.auth", "requests"),
}


def test_the_lambda_search_imports_no_more_than_it_needs() -> None:
    """Cold starts cost time and money, so it imports neither the SDKs nor the other cloud's framework."""
    settings = {**SEARCH, "_HANDLER": "functions.aws.search", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    loaded = modules("import functions.aws", AWS_LAMBDA_FUNCTION_NAME="search", **settings)
    assert {
        "apig_wsgi",
        "functions.search.application",
        "ai_edge_litert.interpreter",
        "obstore",
        "PIL.WebPImagePlugin",
    } <= loaded
    assert not loaded & {*NEVER_FOR_A_QUERY, "flask", "werkzeug", "functions_framework"}


def test_the_google_search_imports_no_more_than_it_needs() -> None:
    code = "from functions_framework import create_app; create_app('search', 'functions/main.py')"
    loaded = modules(code, **SEARCH)
    assert {"functions.search.application", "ai_edge_litert.interpreter", "obstore", "PIL.WebPImagePlugin"} <= loaded
    assert not loaded & NEVER_FOR_A_QUERY


def test_the_reindex_handlers_import_their_work_when_they_are_called() -> None:
    loaded = modules("import functions.aws", _HANDLER="functions.aws.reindex")
    assert not loaded & {"apig_wsgi", "functions.search.cold_start", "functions.settings"}


def test_garbage_is_collected_again_after_the_start() -> None:
    settings = {**SEARCH, "_HANDLER": "functions.aws.search", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    result = run("import gc, functions.aws; assert gc.isenabled(); assert gc.get_freeze_count()", **settings)
    assert result.returncode == 0, result.stderr


def test_after_a_fork_the_child_fetches_and_the_parent_does_not(index: Path, tmp_path: Path) -> None:
    """functions-framework's server forks its worker after the import; the index goes away before the first request."""
    shutil.copytree(index, tmp_path / "index")
    code = """if True:
        import os, shutil, sys, threading, time
        import functions.search.cold_start
        assert threading.active_count() == 1
        child = os.fork()
        if child:
            assert threading.active_count() == 1
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        while threading.active_count() > 1:
            time.sleep(0.01)
        shutil.rmtree(os.environ["INDEX_URI"])
        assert len(functions.search.cold_start.current.get().gallery) > 30
    """
    result = run(code, INDEX_URI=str(tmp_path / "index"), IMAGE_BASE_URL=IMAGE_BASE)
    assert result.returncode == 0, result.stderr


def test_a_snapshot_has_the_index_and_looks_for_a_newer_one_once_restored(index: Path, tmp_path: Path) -> None:
    """Storage is slow, then weeks pass. SnapStart: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html."""
    shutil.copytree(index, tmp_path / "index")
    write_gallery(tmp_path / "gallery", {"new.jpg": photo("pink")})
    code = f"""if True:
        import os, time
        import embeddings.index.fetch
        fetch, passed, now = embeddings.index.fetch.fetch_pointer, 0, time.time
        embeddings.index.fetch.fetch_pointer = lambda reader: time.sleep(1) or fetch(reader)
        time.time = lambda: now() + passed
        import functions.aws
        from functions.search.cold_start import current
        os.rename(os.environ["INDEX_URI"], "{tmp_path}/aside")
        assert len(current.get().gallery) > 30
        os.rename("{tmp_path}/aside", os.environ["INDEX_URI"])
        from embeddings.rebuild import rebuild
        rebuild("{tmp_path}/gallery", os.environ["INDEX_URI"])
        assert len(current.get().gallery) > 30
        passed = 30 * 86_400
        assert list(current.get().gallery.keys) == ["new.jpg"]
    """
    lambdas = {"AWS_LAMBDA_FUNCTION_NAME": "search", "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    settings = {"INDEX_URI": str(tmp_path / "index"), "IMAGE_BASE_URL": IMAGE_BASE}
    result = run(code, _HANDLER="functions.aws.search", **lambdas, **settings)
    assert result.returncode == 0, result.stderr


def test_a_snapshot_can_be_taken_without_an_index(tmp_path: Path) -> None:
    result = run(
        "import functions.aws",
        _HANDLER="functions.aws.search",
        AWS_LAMBDA_FUNCTION_NAME="search",
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        INDEX_URI=str(tmp_path / "later"),
        IMAGE_BASE_URL=IMAGE_BASE,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import functions.aws",
        "from functions_framework import create_app; create_app('search', 'functions/main.py')",
    ],
)
def test_wrong_settings_stop_the_start_with_a_message(code: str) -> None:
    result = run(code, _HANDLER="functions.aws.search", REFRESH_SECONDS="soon")
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    for name in ("REFRESH_SECONDS", "INDEX_URI", "IMAGE_BASE_URL"):
        assert name in last

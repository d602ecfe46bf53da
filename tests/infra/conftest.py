"""The deployment as the real CLI packages it, without network or credentials and with a stand-in for the bundle."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.stack import Stack

ROOT = Path(__file__).parents[2]
CLI = ROOT / "node_modules/.bin/serverless"
LEAST_NODE = (20, 19)

Serverless = Callable[..., subprocess.CompletedProcess[str]]

# Params that turn on everything that is off by default.
OPTIONS = {
    "architecture": "x86_64",
    "snapStart": "true",
    "searchConcurrency": "50",
    "corsOrigins": "https://shop.example,https://www.shop.example",
    "galleryBucket": "shop-photos",
    "galleryPrefix": "2026/",
    "imageBaseUrl": "https://images.shop.example",
    "alarmEmail": "ops@shop.example",
    "domainName": "search.shop.example",
    "certificateId": "0f246ca9-0000-0000-0000-000000000000",
    "fill": "map",
    "site": "cdn",
    "vectorBucket": "new",
    "feed": "shop-feeds/today/products.csv",
    "unlisted": "hide",
    "accessLog": "stage",
    "tracing": "Active",
    "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
    "reindexConcurrency": "2",
}
# The function URL, without events.
ADDRESS = {"endpoint": "function-url", "events": "none", "corsOrigins": "https://shop.example,capacitor://localhost"}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that the CLI reads, because it leaves files behind."""
    if shutil.which("node") is None or not CLI.exists():
        pytest.skip("needs Node and what `npm ci` installs")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, version.strip().lstrip("v").split(".")[:2])) < LEAST_NODE:
        pytest.skip(f"the CLI needs Node 20.19 or newer, and this is {version.strip()}")
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "serverless.yml", folder)
    shutil.copytree(ROOT / "infra", folder / "infra")
    with zipfile.ZipFile(folder / "ready.zip", "w") as bundle:
        bundle.writestr("functions/__init__.py", "")
    return folder


@pytest.fixture(scope="session")
def serverless(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Serverless:
    """Run the CLI in a clean environment."""
    # The CLI keeps the compiled schema of serverless.yml in its home and empties the project's .serverless. With one
    # folder for both, every call would compile the schema again, which takes 4 seconds.
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: str, cwd: Path = project, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "NODE_NO_WARNINGS": "1"}
        return subprocess.run(
            [CLI, *arguments], cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=500
        )

    return run


@pytest.fixture(scope="session")
def package(serverless: Serverless, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Package a stage with params; return the template's file."""

    def run(stage: str, **params: str) -> Path:
        folder = tmp_path_factory.mktemp(stage)
        given = [f"--param={name}={value}" for name, value in ({"bundle": "ready.zip"} | params).items()]
        done = serverless("package", "--stage", stage, "--package", str(folder), *given)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder / "cloudformation-template-update-stack.json"

    return run


@pytest.fixture(scope="session")
def templates(package: Callable[..., Path]) -> dict[str, Path]:
    """The templates of both stages, of one with everything on that is off, and of one with a function URL."""
    # One after the other, because all use the project's folder .serverless.
    return {
        "dev": package("dev"),
        "prod": package("prod"),
        "options": package("dev", **OPTIONS),
        "url": package("prod", snapStart="true", alarmEmail="ops@shop.example", **ADDRESS),
    }


@pytest.fixture(scope="session")
def stacks(templates: dict[str, Path]) -> dict[str, Stack]:
    return {name: Stack(json.loads(path.read_text())) for name, path in templates.items()}


@pytest.fixture(scope="session")
def dev(stacks: dict[str, Stack]) -> Stack:
    return stacks["dev"]


@pytest.fixture(scope="session")
def prod(stacks: dict[str, Stack]) -> Stack:
    return stacks["prod"]


@pytest.fixture(scope="session")
def url(stacks: dict[str, Stack]) -> Stack:
    return stacks["url"]


@pytest.fixture(scope="session")
def options(stacks: dict[str, Stack]) -> Stack:
    return stacks["options"]

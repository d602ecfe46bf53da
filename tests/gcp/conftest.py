"""The deploy script with a fake gcloud, and the sources that it stages."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gcp.fake_gcloud import FakeGcloud

GCP = Path(__file__).parents[2] / "infra" / "gcp"
BASE = (
    *("--project", "my-project", "--region", "europe-west1"),
    *("--gallery", "gs://shop-photos/web", "--index", "gs://shop-index"),
)
PUBLIC = (*BASE, "--public-gallery")
SIGNED = (*BASE, "--signed-url-seconds", "600")
MODES = {"url": (*BASE, "--image-base-url", "https://cdn.example/web"), "signed": SIGNED, "public": PUBLIC}

Result = subprocess.CompletedProcess[str]


class Google:
    """A folder to deploy from, and the fake gcloud."""

    def __init__(self, folder: Path, gcloud: FakeGcloud) -> None:
        self.folder, self.gcloud = folder, gcloud
        programs = folder / "bin"
        programs.mkdir()
        (programs / "gcloud").write_text(gcloud.program)
        (programs / "gcloud").chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "RETRY_SECONDS": "0",
            "TMPDIR": str(folder),
        }

    def deploy(self, *options: str) -> Result:
        return self.run(str(GCP / "deploy.sh"), *options)

    def run(self, *command: str) -> Result:
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False, timeout=500)


@contextmanager
def fake_google(folder: Path) -> Iterator[Google]:
    with FakeGcloud() as gcloud:
        yield Google(folder, gcloud)


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    """A project with nothing in it."""
    with fake_google(tmp_path) as running:
        yield running


@pytest.fixture(scope="session", params=MODES)
def deployment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Google]]:
    """Each way to show photos, after its deployment. Read only; `google_after` gives copies."""
    with fake_google(tmp_path_factory.mktemp(request.param)) as google:
        result = google.deploy(*MODES[request.param], "--create-gallery")
        assert result.returncode == 0, result.stderr
        yield request.param, google


@pytest.fixture
def google_after(deployment: tuple[str, Google], google: Google) -> Google:
    """A copy of the state after a deployment."""
    before = deployment[1].gcloud
    google.gcloud.made, google.gcloud.roles = dict(before.made), set(before.roles)
    return google


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with `search` and `reindex` as deploy.sh uploads them."""
    folder = tmp_path_factory.mktemp("staged")
    subprocess.run([str(GCP / "stage.sh"), str(folder)], check=True, timeout=500)
    return folder

"""A first deployment: params from a file, and missing credentials."""

import json
from pathlib import Path

import pytest

from tests.infra.conftest import Serverless

pytestmark = pytest.mark.slow  # calls the deploy CLI


def test_a_file_remembers_the_params_of_a_stage(project: Path, serverless: Serverless, tmp_path: Path) -> None:
    remembered = project / ".env.remembering"
    remembered.write_text("PARAM_GALLERY_BUCKET=shop-photos\nPARAM_SITE=cdn\n")
    try:
        arguments = ("package", "--stage", "remembering", "--package", str(tmp_path), "--param=bundle=ready.zip")
        done = serverless(*arguments, "--param=site=none")
    finally:
        remembered.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    template = json.loads((tmp_path / "cloudformation-template-update-stack.json").read_text())
    options = {name: option["value"] for name, option in template["Mappings"]["Param"].items()}
    assert (options["galleryBucket"], options["site"]) == ("shop-photos", "none"), "the command line wins"


def test_without_credentials_nothing_is_built(project: Path, serverless: Serverless) -> None:
    """A build would fail here, because the project has no scripts/bundle.py."""
    done = serverless("deploy", "--stage", "dev", AWS_EC2_METADATA_DISABLED="true")
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "AWS does not accept the credentials" in output
    assert "bundle.py" not in output

"""Valid and invalid requests, generated from openapi.json, against the running server."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions.conftest import Service
from tests.functions.http_client import OPENAPI


@pytest.mark.slow
def test_schemathesis_finds_nothing(service: Service, tmp_path: Path) -> None:
    """There is no 500, and no answer breaks the document: status, type, headers, schema, methods."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", str(OPENAPI)]
    command += ["--url", f"http://127.0.0.1:{service.port}", "--max-examples", "8"]
    # The document cannot say that bytes are a photo, that offset and k have a limit together, and that an empty
    # parameter counts as not given.
    command += ["--exclude-checks", "positive_data_acceptance,negative_data_rejection"]
    command += ["--generation-database", "none", "--no-color", "--seed", "1"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr
    assert "Tested: 10" in result.stdout

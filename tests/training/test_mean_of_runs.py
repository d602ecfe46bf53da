"""The mean of runs, weight by weight and class by class."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import ModelError
from tests.training.conftest import TrainingRun

# Keras 3.15 saves weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def test_weights_and_proxies_lie_in_the_middle_and_a_class_of_one_run_keeps_its_proxy(
    finished_run: TrainingRun, tmp_path: Path
):
    from embeddings.training.mean_of_runs import mean_of_runs
    from embeddings.training.run_folder import load_embedder, load_heads

    first, last = finished_run.folder, tmp_path / "last"
    shutil.copytree(first, last)
    embedder, heads = load_embedder(last), load_heads(last)
    embedder.set_weights([weight + 2 for weight in embedder.get_weights()])
    embedder.save_weights(last / "best.weights.h5")
    heads["colour"] = heads["colour"][::-1] + 4  # another order, and one class by another name
    np.savez(last / "heads.npz", allow_pickle=False, **heads)
    classes = json.loads((last / "classes.json").read_text())
    known = classes["colour"][::-1]
    (last / "classes.json").write_text(json.dumps(classes | {"colour": ["puce", *known[1:]]}))

    mean = mean_of_runs([first, last])
    for middle, weight in zip(mean.embedder.get_weights(), load_embedder(first).get_weights(), strict=True):
        assert middle == pytest.approx(weight + 1, abs=1e-5)
    before = load_heads(first)["colour"][::-1]
    assert mean.classes["colour"] == ("puce", *known[1:])
    assert mean.proxies["colour"][0] == pytest.approx(before[0] + 4, abs=1e-5)
    assert mean.proxies["colour"][1:] == pytest.approx(before[1:] + 2, abs=1e-5)
    assert mean.proxies["kind"] == pytest.approx(load_heads(first)["kind"], abs=1e-5)


def test_a_network_of_another_size_is_refused(finished_run: TrainingRun, tmp_path: Path):
    from embeddings.training.mean_of_runs import mean_of_runs
    from embeddings.training.model import build_embedder

    other = tmp_path / "other"
    shutil.copytree(finished_run.folder, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"dimension": 8}))
    build_embedder(None, 8, "", config["backbone"]).save_weights(other / "best.weights.h5")
    with pytest.raises(ModelError, match="other has other layers"):
        mean_of_runs([other, finished_run.folder])

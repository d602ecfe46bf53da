"""Contact sheets: which queries they show, and the frames around right and wrong results."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.evaluation.baselines import colour_histogram
from embeddings.training.evaluation.evaluation import Evaluation
from scripts.reporting.evaluation_page import CHOICES, choose, draw_sheet

pytestmark = pytest.mark.slow  # needs TensorFlow


@pytest.mark.parametrize("choice", CHOICES)
def test_sheets_frame_right_results(evaluation: Evaluation, tmp_path: Path, choice):
    _, (answers, *_) = evaluation.measure(colour_histogram(evaluation.files))
    chosen = choose(answers, choice, rows=3)
    hits = answers.search.right(answers.found[:, :16]).sum(axis=1)
    if choice != "random":
        assert hits[chosen].tolist() == sorted(hits, reverse=choice == "best")[:3]
    draw_sheet(answers, chosen, evaluation.files, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    frames = {True: (40, 170, 60), False: (200, 50, 40)}
    for row in range(3):
        for column in range(16):
            corner = sheet[row * 118 + 14, 104 * (column + 1) + 12]
            assert tuple(corner) == frames[bool(answers.search.right(answers.found)[chosen[row], column])]

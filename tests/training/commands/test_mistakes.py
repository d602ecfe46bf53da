"""The list of queries that a model did not answer in full."""

import csv
from pathlib import Path

import numpy as np

from embeddings.training.evaluation.baselines import colour_histogram
from embeddings.training.evaluation.evaluation import Answers, Evaluation
from embeddings.training.evaluation.tasks import Search
from scripts.reporting.mistakes import write_failures


def test_failures_name_the_query_and_the_wrong_results(evaluation: Evaluation, tmp_path: Path):
    _, answers = evaluation.measure(colour_histogram(evaluation.files))
    write_failures(tmp_path / "failures.csv", answers, evaluation.names)
    with (tmp_path / "failures.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    kinds = {photo.file: photo.category for photo in evaluation.photos}
    of_a = [row for row in rows if row["task"] == "A"]
    assert of_a
    for row in of_a:
        assert kinds[row["query"]] == row["wanted"]
        wrong = row["first wrong results"].split(" | ")
        assert len(wrong) <= 3
        assert all(kinds[file] != row["wanted"] for file in wrong)
        assert int(row["hits"]) < int(row["of"]) or row["rank of the first hit"] != "1"
    assert [int(row["hits"]) / int(row["of"]) for row in of_a] == sorted(
        int(row["hits"]) / int(row["of"]) for row in of_a
    )
    asked = len(answers[0].search.queries)
    complete = answers[0].search.right(answers[0].found[:, :16]).all(axis=1).sum()
    assert len(of_a) == asked - complete
    assert any(row["query"].startswith("phone photo of shop/") for row in rows if row["task"] == "C")


def test_a_failure_misses_a_hit_or_begins_with_a_wrong_result(tmp_path: Path):
    labels, wanted = np.array(["a", "a", "b"]), np.array(["a", "a", "b", "b", "c"])
    search = Search("T", np.arange(3, 8), np.arange(3), wanted, labels, wanted)
    found = np.array([[0, 1, 2], [0, 2, 1], [2, 0, 1], [0, 2, 1], [0, 1, 2]])
    write_failures(tmp_path / "failures.csv", [Answers(search, found)], ["0", "1", "2", *"pqrst"])
    lines = (tmp_path / "failures.csv").read_text().splitlines()
    assert lines[1:] == ["T,s,b,1,1,2,0 | 1"]  # p, q and r find all and begin right; nothing is relevant to t

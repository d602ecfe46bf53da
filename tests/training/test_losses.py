"""The losses against their formulas, written out one number at a time."""

from math import exp, log
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # needs TensorFlow


@pytest.fixture(scope="module")
def losses() -> ModuleType:
    from embeddings.training import losses

    return losses


def unit(rng: np.random.Generator, rows: int, columns: int = 5) -> np.ndarray:
    vectors = rng.normal(size=(rows, columns))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_cosine_softmax_is_the_formula(losses: ModuleType):
    rng = np.random.default_rng(1)
    embeddings, proxies, scale = unit(rng, 4), rng.normal(size=(3, 5)).astype(np.float32) * 7, 9.0
    targets = np.array([[1, 0, 0], [0, 0.25, 0.75], [0, 0, 0], [0, 1, 0]], np.float32)

    expected, labelled = 0.0, 0.0
    for x, target in zip(embeddings, targets, strict=True):
        powers = [exp(scale * float(x @ w) / float(np.linalg.norm(w))) for w in proxies]
        for share, power in zip(target, powers, strict=True):
            expected -= float(share) * log(power / sum(powers))
        labelled += float(target.sum())

    assert float(losses.cosine_softmax(embeddings, proxies, targets, scale)) == pytest.approx(
        expected / labelled, rel=1e-5
    )


def test_cosine_softmax_of_no_labels_is_zero(losses: ModuleType):
    rng = np.random.default_rng(2)
    assert float(losses.cosine_softmax(unit(rng, 3), unit(rng, 2), np.zeros((3, 2), np.float32), 16.0)) == 0.0


def test_grouped_softmax_is_the_formula_and_skips_groups_without_classes(losses: ModuleType):
    rng = np.random.default_rng(5)
    embeddings, proxies, scale = unit(rng, 4), rng.normal(size=(4, 5)).astype(np.float32) * 3, 9.0
    groups = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
    targets = np.array([[1, 0, 0], [0.25, 0.75, 0], [0, 0, 1], [0, 0, 0]], np.float32)

    expected = 0.0
    for x, target in zip(embeddings[:2], targets, strict=False):  # the third is of the empty group, the last of none
        powers = [exp(scale * float(x @ w) / float(np.linalg.norm(w))) for w in proxies]
        for group in (0, 1):
            chance = sum(power for power, inside in zip(powers, groups[:, group], strict=True) if inside) / sum(powers)
            expected -= float(target[group]) * log(chance) / 2

    assert float(losses.grouped_softmax(embeddings, proxies, groups, targets, scale)) == pytest.approx(
        expected, rel=1e-5
    )


def test_grouped_softmax_with_one_class_a_group_is_cosine_softmax(losses: ModuleType):
    rng = np.random.default_rng(6)
    embeddings, proxies, targets = unit(rng, 3), unit(rng, 4), np.eye(4, dtype=np.float32)[[2, 0, 3]]
    alone = float(losses.grouped_softmax(embeddings, proxies, np.eye(4, dtype=np.float32), targets, 16.0))
    assert alone == pytest.approx(float(losses.cosine_softmax(embeddings, proxies, targets, 16.0)), rel=1e-5)


def test_smoothing_gives_every_class_a_share_and_leaves_rows_without_labels(losses: ModuleType):
    targets = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0.5, 0.5, 0]], np.float32)
    expected = [[0.85, 0.05, 0.05, 0.05], [0, 0, 0, 0], [0.05, 0.45, 0.45, 0.05]]
    assert np.asarray(losses.smoothed(targets, 0.2)) == pytest.approx(np.array(expected), abs=1e-6)


def test_info_nce_is_the_formula_and_leaves_out_the_same_item(losses: ModuleType):
    rng = np.random.default_rng(3)
    anchors, positives, others, temperature = unit(rng, 3), unit(rng, 3), unit(rng, 4), 0.2
    same = np.zeros((3, 4), np.float32)
    same[1, 2] = 1

    expected = 0.0
    for i in range(3):
        total = sum(exp(float(anchors[i] @ positive) / temperature) for positive in positives)
        total += sum(exp(float(anchors[i] @ others[k]) / temperature) for k in range(4) if not same[i, k])
        expected -= log(exp(float(anchors[i] @ positives[i]) / temperature) / total) / 3

    assert float(losses.info_nce(anchors, positives, others, same, temperature)) == pytest.approx(expected, rel=1e-5)


def test_info_nce_falls_as_views_of_an_item_get_closer(losses: ModuleType):
    from keras import ops

    rng = np.random.default_rng(4)
    anchors, apart = unit(rng, 6, 16), unit(rng, 6, 16)
    nothing = np.zeros((0, 16), np.float32), np.zeros((6, 0), np.float32)
    near = ops.normalize(anchors + 0.1 * apart)
    assert float(losses.info_nce(anchors, near, *nothing, 0.1)) < float(losses.info_nce(anchors, apart, *nothing, 0.1))


def test_neighbour_softmax_is_the_formula(losses: ModuleType):
    rng = np.random.default_rng(5)
    anchors, others, temperature = unit(rng, 3), unit(rng, 4), 0.2
    alike = np.array([[1, 0.5, 0, 2], [0, 0, 0, 0], [0, 3, 0, 0]], np.float32)
    excluded = np.array([[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 0]], np.float32)

    expected = []
    for i in (0, 2):  # anchor 1 has no answer
        kept = [j for j in range(4) if not excluded[i, j]]
        total = sum(exp(float(anchors[i] @ others[j]) / temperature) for j in kept)
        shares = {j: exp(float(anchors[i] @ others[j]) / temperature) / total for j in kept}
        wanted = sum(float(alike[i, j]) for j in kept)
        expected.append(-sum(float(alike[i, j]) * log(shares[j]) for j in kept) / wanted)

    value = float(losses.neighbour_softmax(anchors, others, alike, excluded, temperature))
    assert value == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_neighbour_softmax_without_right_results_is_zero(losses: ModuleType):
    rng = np.random.default_rng(6)
    nothing = np.zeros((3, 4), np.float32)
    assert float(losses.neighbour_softmax(unit(rng, 3), unit(rng, 4), nothing, nothing + 1, 0.1)) == 0.0


def test_word_entropy_is_the_formula_and_counts_known_rows_alone(losses: ModuleType):
    rng = np.random.default_rng(8)
    embeddings, proxies = unit(rng, 3), rng.normal(size=(2, 5)).astype(np.float32) * 4
    biases, rows = np.array([-1.0, 0.5], np.float32), np.array([1, 0, 1], np.float32)
    targets = np.array([[1, 0], [1, 1], [0, 0.25]], np.float32)

    expected = 0.0
    for i in (0, 2):
        for proxy, bias, target in zip(proxies, biases, targets[i], strict=True):
            chance = 1 / (
                1 + exp(-(losses.SCALE * float(embeddings[i] @ proxy) / float(np.linalg.norm(proxy)) + float(bias)))
            )
            expected -= (float(target) * log(chance) + (1 - float(target)) * log(1 - chance)) / 2

    assert float(losses.word_entropy(embeddings, proxies, biases, targets, rows)) == pytest.approx(expected, rel=1e-4)
    assert float(losses.word_entropy(embeddings, proxies, biases, targets, 0 * rows)) == 0.0


def test_direction_loss_is_the_mean_distance_from_the_teacher(losses: ModuleType):
    teachers = np.eye(3, dtype=np.float32)
    students = np.array([[1, 0, 0], [1, 0, 0], [0, 0.8, 0.6]], np.float32)
    assert float(losses.direction_loss(students, teachers)) == pytest.approx((0 + 1 + 0.4) / 3)


def test_relation_loss_is_the_formula_and_zero_for_the_teachers_own_vectors(losses: ModuleType):
    rng = np.random.default_rng(9)
    students, teachers, gallery, temperature = unit(rng, 2), unit(rng, 2), unit(rng, 4), 0.3

    expected = 0.0
    for x, t in zip(students, teachers, strict=True):
        said = [exp(float(x @ g) / temperature) for g in gallery]
        known = [exp(float(t @ g) / temperature) for g in gallery]
        expected += sum(
            k / sum(known) * log(k / sum(known) / (s / sum(said))) for k, s in zip(known, said, strict=True)
        )

    assert float(losses.relation_loss(students, teachers, gallery, temperature)) == pytest.approx(
        expected / 2, rel=1e-4
    )
    assert float(losses.relation_loss(teachers, teachers, gallery, temperature)) == pytest.approx(0, abs=1e-6)

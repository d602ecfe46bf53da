"""What the heads say, as part of the vector: against the formula written out, and for what it is good for."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.training.evaluation.metrics import neighbours, precision
from embeddings.training.items_and_kinds import items_and_kinds

pytestmark = pytest.mark.slow  # needs TensorFlow

if TYPE_CHECKING:
    import keras

CATEGORIES, DIMENSION = 5, 24


@pytest.fixture(scope="module")
def attributes() -> ModuleType:
    from embeddings.training import attributes

    return attributes


@pytest.fixture(scope="module")
def proxies() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "category": rng.normal(size=(CATEGORIES, DIMENSION // 2)).astype(np.float32),
        "palette": 7 * rng.normal(size=(3, DIMENSION)).astype(np.float32),
    }


@pytest.fixture(scope="module")
def prints(proxies: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors that say a little of their category, and much of something else; and the categories."""
    rng = np.random.default_rng(1)
    labels = rng.integers(CATEGORIES, size=400)
    other = rng.normal(size=(8, DIMENSION))[rng.integers(8, size=400)]
    noise = 0.3 * rng.normal(size=(400, DIMENSION))
    category = np.pad(unit(proxies["category"]), ((0, 0), (0, DIMENSION // 2)))[labels]
    return unit(category + unit(other) + noise), labels.astype(str)


def clouds(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors that vary a hundred times more along one axis than along another, about a common direction."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(count, 4)) * (0.5, 0.05, 0.2, 0.1) + (0, 0, 0, 1))


def test_whitened_axes_have_the_root_of_their_variance_and_no_correlation(attributes: ModuleType):
    vectors = clouds(2000)
    whitening = attributes.Whitening.fit(vectors)
    projected = (vectors - whitening.mean) @ whitening.axes
    variances = np.linalg.eigvalsh(np.cov(vectors, rowvar=False))
    assert np.cov(projected, rowvar=False) == pytest.approx(np.diag(np.sqrt(variances)), abs=1e-4)
    assert projected.mean(axis=0) == pytest.approx(0, abs=1e-4)


def test_whitening_drops_an_axis_on_which_nothing_varies(attributes: ModuleType):
    flat = np.concatenate([clouds(500), np.zeros((500, 2), np.float32)], axis=1)
    assert attributes.Whitening.fit(flat).axes.shape == (6, 4)


def test_two_photos_agree_by_their_whitened_embeddings_and_by_their_heads_answers(
    proxies, prints, attributes: ModuleType
):
    import keras

    from embeddings.training.losses import SCALE

    vectors = prints[0][:20]
    whitening = attributes.Whitening.fit(prints[0])
    parts = attributes.described(keras.ops.convert_to_tensor(twice(vectors)), proxies, whitening)
    assert set(parts) == {"items", "category", "palette"}
    one_head = {"category": proxies["category"]}
    assert set(attributes.described(keras.ops.convert_to_tensor(twice(vectors)), one_head, whitening)) == {
        "items",
        "category",
    }

    white = unit((vectors - whitening.mean) @ whitening.axes)
    assert agreement(parts["items"]) == pytest.approx(white @ white.T, abs=1e-4)
    for head, directions in proxies.items():
        read = vectors if head == "palette" else kinds_of(vectors)
        cosines = read @ np.array([each / np.sqrt((each**2).sum()) for each in directions]).T
        powers = np.exp(SCALE * cosines)
        said = powers / powers.sum(axis=1, keepdims=True)
        bhattacharyya = [[np.sqrt(one * other).sum() for other in said] for one in said]
        assert agreement(parts[head]) == pytest.approx(np.array(bhattacharyya), abs=1e-4)


def test_photos_of_the_same_category_come_first_and_the_file_agrees_with_keras(proxies, prints, attributes: ModuleType):
    from embeddings.training.export import check_parity, convert
    from embeddings.training.model import embed_with

    vectors, labels = prints
    pixels = as_pixels(vectors)
    embedder = reading_embedder()
    model = attributes.with_attributes(embedder, proxies, embed_with(embedder, pixels))
    better = embed_with(model, pixels)
    assert better.shape == (400, DIMENSION)
    assert np.linalg.norm(better, axis=1) == pytest.approx(1, abs=1e-5)
    assert hits(better, labels) > hits(vectors, labels) + 0.15
    assert check_parity(convert(model, "fp32", pixels[:1]), "fp32", pixels, better).overlap > 0.99
    assert len(model.outputs) == 1, "neither category nor palette is answered beside the vector"


def test_two_photos_agree_by_the_weighted_sum_over_the_parts(proxies, prints, attributes: ModuleType):
    from embeddings.training.model import embed_with

    pixels = as_pixels(prints[0])
    embedder = reading_embedder()
    vectors = embed_with(embedder, pixels)
    heads = {**proxies, "usage": proxies["category"]}  # has no weight
    found = embed_with(attributes.with_attributes(embedder, heads, vectors), pixels)

    parts = attributes.described(vectors, proxies, attributes.Whitening.fit(items_and_kinds(vectors)[0]))
    wanted = sum(attributes.WEIGHTS[part] ** 2 * agreement(said) for part, said in parts.items())
    values, axes = np.linalg.eigh(wanted)
    expected = unit(axes[:, -DIMENSION:] * np.sqrt(values[-DIMENSION:]))
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-3)


def test_words_are_said_one_by_one_and_each_other_head_says_one_thing(attributes: ModuleType, proxies, prints):
    from keras import ops

    from embeddings.training.losses import SCALE
    from embeddings.training.trainee import WORDS_BIASES

    words = {"words": proxies["category"], WORDS_BIASES: np.linspace(-3, 0, CATEGORIES, dtype=np.float32)}
    said = attributes.probabilities(ops.convert_to_tensor(twice(prints[0][:9])), proxies | words)
    assert set(said) == {"category", "palette", "words"}
    assert np.asarray(said["category"]).sum(axis=1) == pytest.approx(1, abs=1e-5)
    cosines = kinds_of(prints[0][:9]) @ unit(proxies["category"]).T
    expected = 1 / (1 + np.exp(-(SCALE * cosines + words[WORDS_BIASES])))
    assert np.asarray(said["words"]) == pytest.approx(expected, abs=1e-5)


def test_palette_reads_what_tells_items_apart_and_the_other_heads_read_kinds(attributes: ModuleType, proxies, prints):
    from keras import ops

    items, others = prints[0][:100], prints[0][100:200]
    whitening = attributes.Whitening.fit(items)
    found = attributes.described(ops.convert_to_tensor(joined(items, kinds_of(others))), proxies, whitening)
    for part, read in (("items", items), ("palette", items), ("category", others)):
        alone = attributes.described(ops.convert_to_tensor(twice(read)), proxies, whitening)
        assert np.asarray(found[part]) == pytest.approx(np.asarray(alone[part]), abs=1e-4)


def test_the_file_answers_attributes_beside_the_same_vector(attributes: ModuleType, proxies, prints, tmp_path):
    from keras import ops

    from embeddings.training.export import check_parity, convert, write_model
    from embeddings.training.model import embed_with

    heads = {"colour": proxies["palette"][:, : DIMENSION // 2], "kind": proxies["category"]}
    pixels = as_pixels(prints[0])
    embedder = reading_embedder()
    model = attributes.with_attributes(embedder, heads, embed_with(embedder, pixels))
    assert attributes.answered(heads) == ["kind", "colour"]
    expected = embed_with(model, pixels)

    content = convert(model, "fp32", pixels[:1])
    parity = check_parity(content, "fp32", pixels[:100], expected[:100])
    write_model(tmp_path / "m.tflite", content, "fp32", parity, {}, {})
    vector, outputs = Embedder(tmp_path / "m.tflite").describe_pixels(pixels[0])
    assert vector == pytest.approx(expected[0], abs=1e-4)
    wanted = attributes.probabilities(ops.convert_to_tensor(twice(prints[0][:1])), heads)
    beside = np.concatenate([np.asarray(wanted[head])[0] for head in ("kind", "colour")])
    assert outputs == pytest.approx(beside, abs=0.05)  # pixels are rounded


def joined(items: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Vectors of these two parts."""
    return np.concatenate([items, kinds], axis=1) / np.float32(np.sqrt(2))


def twice(vectors: np.ndarray) -> np.ndarray:
    """Vectors whose part for kinds repeats what the part for items begins with."""
    return joined(vectors, kinds_of(vectors))


def kinds_of(vectors: np.ndarray) -> np.ndarray:
    return unit(vectors[:, : DIMENSION // 2])


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def agreement(said: Any) -> np.ndarray:
    """Inner products of each row with each."""
    rows = np.asarray(said, np.float64)
    return rows @ rows.T


def hits(vectors: np.ndarray, labels: np.ndarray) -> float:
    return precision(labels, neighbours(vectors, vectors, without_self=True), labels, without_self=True).mean()


def as_pixels(vectors: np.ndarray) -> np.ndarray:
    """Images that hold the numbers of a vector in their first pixels."""
    pixels = np.zeros((len(vectors), 160, 160, 3), np.uint8)
    pixels[:, 0, : DIMENSION // 3] = np.round(127.5 + 127.5 * vectors).reshape(len(vectors), -1, 3)
    return pixels


def reading_embedder() -> "keras.Model":
    """Reads `as_pixels` into both parts, as `twice` does."""
    import keras

    from tests.training.networks import joined_parts

    photo = keras.Input((160, 160, 3))
    corner = keras.layers.Cropping2D(((0, 159), (0, 160 - DIMENSION // 3)))(photo)
    read = keras.layers.Flatten()(keras.layers.Rescaling(1 / 127.5, -1.0)(corner))
    items, kinds = keras.layers.UnitNormalization()(read), keras.layers.UnitNormalization()(read[:, : DIMENSION // 2])
    return keras.Model(photo, joined_parts(items, kinds))

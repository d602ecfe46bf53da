"""A run on drawn garments: it learns, it can be interrupted, and says what is wrong."""

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.training.config import BACKBONES, LOSSES, Augmentation, Config, Mix
from embeddings.training.data.datasets import load_pixels, read_photos
from embeddings.training.data.photos import DatasetError, Split
from embeddings.training.evaluation.baselines import OffTheShelf
from embeddings.training.model import Trainee, build_embedder, embed_with
from embeddings.training.run_folder import (
    how_made,
    load_checkpoint,
    load_embedder,
    load_heads,
    replacing,
    save_checkpoint,
)
from embeddings.training.train import score, train
from embeddings.training.views.batches import Batch, Batches
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask
from embeddings.training.views.items import LoadedPhoto
from scripts.convert import main as convert
from scripts.train import main as train_command

# Keras 3.15 saves weights through a numpy call that numpy 2.4 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PAIRS, CUT, SINGLES = 6, 2, 3


@pytest.fixture(scope="module")
def batches(shapes: Path) -> Batches:
    return Batches(pictures(shapes), Mix(PAIRS - CUT, CUT, SINGLES), seed=0)


def pictures(shapes: Path, masked: bool = True) -> list[LoadedPhoto]:
    """All photos that are trained on; consumer photos have a mask of the drawn garment where `masked`."""
    photos = [photo for photo in read_photos(shapes, Split()) if photo.part == "train"]
    return [
        LoadedPhoto(photo, pixels, cut_out(pixels) if photo.domain == "shop" else _cut(pixels) if masked else None)
        for photo, pixels in zip(photos, load_pixels(shapes, photos), strict=True)
    ]


def _cut(pixels: np.ndarray) -> Image.Image | None:
    return cut_out_by_mask(pixels, Image.fromarray((pixels != pixels[0, 0]).any(axis=2)))


def tiny_embedder() -> keras.Model:
    photo = keras.Input((160, 160, 3))
    features = keras.layers.Conv2D(8, 16, strides=16, activation="relu")(keras.layers.Rescaling(1 / 127.5, -1.0)(photo))
    vector = keras.layers.BatchNormalization()(keras.layers.Dense(16)(keras.layers.Flatten()(features)))
    return keras.Model(photo, keras.layers.UnitNormalization()(vector))


def tiny_trainee(batches: Batches) -> Trainee:
    keras.utils.set_random_seed(0)
    trainee = Trainee(tiny_embedder(), batches.classes, PAIRS)
    trainee.compile(optimizer=keras.optimizers.AdamW(3e-3), jit_compile=False)
    return trainee


def step(trainee: Trainee, batch: Batch) -> dict[str, float]:
    trainee.reset_metrics()
    targets = {**batch.targets, "items": batch.items, "consumer": batch.consumer}
    return trainee.train_on_batch(batch.images, targets, return_dict=True)


def test_a_batch_holds_pairs_then_consumer_photos(batches: Batches):
    batch = batches.batch(3)
    assert batch.images.shape == (2 * PAIRS + SINGLES, 160, 160, 3)
    assert len(set(batch.items[:PAIRS].tolist())) == PAIRS
    assert batch.items[:PAIRS].tolist() == batch.items[PAIRS : 2 * PAIRS].tolist()
    shop_pairs = [0.0] * (PAIRS - CUT) + [1.0] * CUT
    assert batch.consumer.tolist() == [*shop_pairs, *shop_pairs, *[1.0] * SINGLES]
    assert set(batches.classes) == {"category", "kind", "colour", "palette"}
    for head in batches.classes:
        assert batch.targets[head].shape == (2 * PAIRS + SINGLES, len(batches.classes[head]))
        assert np.array_equal(batch.targets[head][:PAIRS], batch.targets[head][PAIRS : 2 * PAIRS])
    assert batch.targets["category"].sum(axis=1).tolist() == [1.0] * len(batch.images)
    assert batch.targets["palette"].sum(axis=1) == pytest.approx(1)
    assert not batch.targets["colour"][2 * PAIRS :].any()  # consumer photos have no such label


def test_a_batch_follows_from_its_step_whoever_prepares_it(batches: Batches):
    stream = batches.stream(first_step=5, workers=2)
    for number in (5, 6, 7):
        streamed, alone = next(stream), batches.batch(number)
        assert np.array_equal(streamed.images, alone.images)
        assert np.array_equal(streamed.items, alone.items)
    stream.close()


def test_the_loss_falls_and_the_memory_fills(batches: Batches):
    trainee, batch = tiny_trainee(batches), batches.batch(0)
    losses = [step(trainee, batch)["loss"] for _ in range(26)]
    assert losses[-1] < 0.6 * losses[0]
    items = keras.ops.convert_to_numpy(trainee._memory_items.value)
    assert items[: PAIRS * 2].tolist() == batch.items[:PAIRS].tolist() * 2
    assert (items[PAIRS * 26 :] == -1).all()


def test_a_gallery_without_labels_is_learned_by_its_items_and_colours(shapes: Path):
    unlabelled = [
        LoadedPhoto(replace(each.photo, category="", type="", gender="", colour=""), each.pixels, each.garment)
        for each in pictures(shapes)
        if each.photo.domain == "shop"
    ]
    batches = Batches(unlabelled, Mix(pairs=PAIRS), seed=0)
    trainee, batch = tiny_trainee(batches), batches.batch(0)
    losses = [step(trainee, batch) for _ in range(12)]
    assert set(losses[0]) == {"loss", "palette", "items"}
    assert losses[-1]["loss"] < 0.9 * losses[0]["loss"]


def test_a_consumer_photos_category_says_which_kinds_it_may_be(batches: Batches):
    assert batches.kinds_categories is not None
    of_kind = {
        kind: {batches.classes["category"][column] for column in row.nonzero()[0]}
        for kind, row in zip(batches.classes["kind"], batches.kinds_categories, strict=True)
    }
    assert of_kind["Tshirts, Men"] == {"t-shirt"}

    keras.utils.set_random_seed(0)
    losses = dict.fromkeys(LOSSES, 0.0) | {"implied": 1.0}
    trainee = Trainee(tiny_embedder(), batches.classes, PAIRS, losses, batches.kinds_categories)
    trainee.compile(optimizer=keras.optimizers.AdamW(3e-3), jit_compile=False)
    batch = batches.batch(0)
    told = [step(trainee, batch)["implied"] for _ in range(26)]
    assert told[-1] < 0.5 * told[0]
    shop_alone = replace(batch, consumer=np.zeros_like(batch.consumer))
    assert step(trainee, shop_alone)["implied"] == 0  # their own word says more


@pytest.mark.slow
def test_a_resumed_run_goes_on_as_if_never_interrupted(batches: Batches, tmp_path: Path):
    whole = tiny_trainee(batches)
    for number in range(2):
        step(whole, batches.batch(number))
    save_checkpoint(tmp_path, whole, 2, 12.5)
    expected = [float(step(whole, batches.batch(number))["loss"]) for number in (2, 3)]

    resumed = tiny_trainee(batches)
    assert load_checkpoint(tmp_path, resumed) == (2, 12.5)
    assert [float(step(resumed, batches.batch(number))["loss"]) for number in (2, 3)] == pytest.approx(
        expected, rel=1e-4
    )


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(batches: Batches, tmp_path: Path):
    save_checkpoint(tmp_path, tiny_trainee(batches), 1, 0.0)
    other = Trainee(tiny_embedder(), {**batches.classes, "colour": ("one",)}, PAIRS)
    other.compile(optimizer=keras.optimizers.AdamW(1e-3))
    with pytest.raises(ModelError, match="other options"):
        load_checkpoint(tmp_path, other)
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot resume"):
        load_checkpoint(tmp_path, other)


def test_the_network_freezes_through_a_named_layer_and_answers_unit_vectors():
    model = build_embedder(None, 24, "block_6_project_BN")
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    assert not backbone.get_layer("block_6_expand").trainable
    assert backbone.get_layer("block_7_expand").trainable
    momenta = {layer.momentum for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert momenta == {0.95}
    vectors = embed_with(model, np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8))
    assert vectors.shape == (2, 24)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", [name for name in BACKBONES if name != "MobileNetV2"])
def test_every_backbone_takes_the_same_pixels_and_answers_unit_vectors(backbone: str):
    model = build_embedder(None, 24, "", backbone)
    vectors = embed_with(model, np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), dtype=np.uint8))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert [layer.name for layer in model.layers if isinstance(layer, keras.layers.Rescaling)] == []


def test_wrong_weights_and_layers_are_named(tmp_path: Path):
    with pytest.raises(ModelError, match=r"nowhere\.weights\.h5"):
        build_embedder(tmp_path / "nowhere.weights.h5", 24, "")
    with pytest.raises(ModelError, match=r"'block_99'.*block_6_project_BN"):
        build_embedder(None, 24, "block_99")


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch: pytest.MonkeyPatch):
    def offline(**_options: object) -> keras.Model:
        raise Exception("URL fetch failure on https://weights.example: None -- [Errno -3]")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    for load in (lambda: build_embedder("imagenet", 24, ""), lambda: OffTheShelf("imagenet")):
        with pytest.raises(ModelError, match="cannot load MobileNetV2 weights from imagenet: URL fetch failure"):
            load()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_leaves_its_folder_and_goes_on_after_its_checkpoint(shapes: Path, tmp_path: Path):
    weights = tmp_path / "start.weights.h5"
    keras.applications.MobileNetV2(include_top=False, input_shape=(160, 160, 3), weights=None).save_weights(weights)
    run = tmp_path / "run"

    def config(steps: int) -> Config:
        return Config(
            str(weights),
            steps,
            30,
            "",
            Mix(PAIRS, CUT, SINGLES),
            dimension=16,
            frozen_through="block_12_project_BN",
            every=2,
        )

    assert train(shapes, run, config(2), "train --data /home/me/photos")["steps"] == 2
    begun = (run / "config.json").read_text()
    with pytest.raises(ModelError, match=r"other options \(seed was 0, now 1\)"):
        train(shapes, run, replace(config(4), seed=1), "train")
    assert (run / "config.json").read_text() == begun
    summary = train(shapes, run, config(4), "train --data /home/me/photos")
    assert summary["steps"] == 4
    with (run / "log.csv").open() as stream:
        assert [float(row["step"]) for row in csv.DictReader(stream)] == [2, 4]
    assert {path.name for path in run.iterdir()} == {
        *("config.json", "checkpoint.npz", "best.weights.h5", "heads.npz", "log.csv", "curves.png", "summary.json")
    }
    assert json.loads((run / "config.json").read_text())["steps"] == 4

    assert load_embedder(run).output_shape == (None, 16)
    made = how_made(run)
    assert made["command"] == "train --data photos"
    assert str(tmp_path) not in json.dumps(made)

    other = tmp_path / "other"
    train(shapes, other, replace(config(2), seed=1), "train --data /home/me/photos --seed 1")
    out = tmp_path / "both.tflite"
    joined = ["--run", str(run), "--run", str(other), "--data", str(shapes), "--out", str(out)]
    assert convert([*joined, "--two-views", "--attributes", "--format", "fp32"]) == 0
    assert Embedder(out).dimension == 16
    card = json.loads(out.with_suffix(".json").read_text())
    assert [made["seed"] for made in card["made"]["runs"]] == [0, 1]
    alone = tmp_path / "alone.tflite"
    assert convert([*joined[:2], *joined[4:7], str(alone), "--two-views", "--attributes", "--format", "fp32"]) == 0
    trunk = alone.stat().st_size * 2 - out.stat().st_size
    assert trunk > 500_000  # what both share, through the frozen layer, is stored once


def test_the_best_is_the_best_at_what_a_run_is_for():
    figures = {"A": 0.7, "C@1": 0.4, "C@16": 0.8, "item@1": 0.1, "D type": 0.5}
    assert score(figures, LOSSES) == pytest.approx(0.5)
    assert score(figures, LOSSES | {"items": 0.0}) == pytest.approx(0.6)
    assert score({"C@1": 0.4}, LOSSES | {"items": 0.0}) == pytest.approx(0.4)  # there is nothing else to go by


@pytest.mark.parametrize(
    ("losses", "heads"),
    [
        ({"kind": 1.3, "palette": 0.0}, {"kind"}),
        ({"kind": 0.0, "implied": 0.65}, {"kind"}),
        ({"palette": 1.0}, {"palette"}),
    ],
)
def test_heads_that_nothing_trained_are_left_out(tmp_path: Path, losses: dict[str, float], heads: set[str]):
    (tmp_path / "config.json").write_text(json.dumps({"losses": losses}))
    np.savez(tmp_path / "heads.npz", kind=np.eye(2), palette=np.eye(3))
    assert set(load_heads(tmp_path)) == heads


def test_a_write_that_is_broken_off_leaves_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text("before")

    def break_off() -> None:
        with replacing(path) as unfinished:
            unfinished.write_text("aft")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == "before"


def test_losses_and_augmentations_are_set_one_by_one(monkeypatch: pytest.MonkeyPatch):
    seen: list[Config] = []

    def record(data: Path, folder: Path, config: Config, command: str) -> dict[str, object]:
        seen.append(config)
        return {"steps": 0, "minutes": 0, "best": {"step": 0}}

    monkeypatch.setattr("embeddings.training.train.train", record)
    needed = ["--data", "d", "--run", "r", "--weights", "w"]
    assert train_command([*needed, "--loss", "items=0", "--augment", "blur=0", "--augment", "crop=0.5"]) == 0
    assert seen[0].losses == LOSSES | {"items": 0}
    assert seen[0].augmentation == Augmentation(blur=0, crop=0.5)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--loss", "beauty=1"], "'beauty=1' names none of category"),
        (["--loss", "items=inf"], "'items=inf' should be like items=0.5, from 0 up"),
        (["--augment", "fog=1"], "'fog=1' names none of ground"),
        (["--augment", "blur=2"], "'blur=2' should be like blur=0.5, from 0 to 1"),
        (["--augment", "blur"], "'blur' should be like blur=0.5, from 0 to 1"),
    ],
)
def test_a_wrong_loss_or_augmentation_is_named(option: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        train_command(["--data", "d", "--run", "r", "--weights", "w", *option])
    assert ended.value.code == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_several_runs_are_joined_by_their_heads(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--run", "one", "--run", "two", "--data", str(tmp_path), "--out", str(tmp_path / "x.tflite")]
    with pytest.raises(SystemExit):
        convert(options)
    assert "add --attributes" in capsys.readouterr().err


def test_runs_of_different_splits_are_not_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    runs = [tmp_path / "one", tmp_path / "two"]
    for seed, run in enumerate(runs):
        run.mkdir()
        (run / "config.json").write_text(json.dumps({"split": asdict(Split(seed=seed))}))
    options = [
        "--run",
        str(runs[0]),
        "--run",
        str(runs[1]),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "x.tflite"),
    ]
    assert convert([*options, "--attributes"]) == 1
    assert "different splits" in capsys.readouterr().err


def test_too_few_photos_and_no_run_are_said_in_words(shapes: Path, tmp_path: Path):
    with pytest.raises(DatasetError, match="less than one batch"):
        train(shapes, tmp_path / "run", Config("w", 1, 1, mix=Mix(pairs=5000)), "train")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ModelError, match="not the folder of a training run"):
        load_embedder(tmp_path)

"""The options of a training run and of a conversion.

This module imports no Keras: `scripts/train.py --help` would wait ten seconds for it.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

from embeddings.preprocess import INPUT_SIZE
from embeddings.training.data.photos import Split

LOSSES = {
    "category": 1.5,
    "kind": 1.3,
    "implied": 0.65,
    "colour": 1.3,
    "palette": 1.6,
    "items": 1.5,
    "neighbours": 1.2,
    "usage": 0.3,
    "words": 1.0,
    "teacher": 6.0,
    "relation": 1.0,
}
"""The weight of each loss.

`implied` is for consumer photos: they have no kind, but their category says which kinds are possible. `usage` and
`words` need the columns usage and title; `teacher` and `relation` need a teacher.
"""

# Backbones of keras.applications that are worth trying, and whether they scale pixels 0-255 themselves.
BACKBONES = {"MobileNetV2": False, "MobileNetV3Large": True, "EfficientNetB0": True, "EfficientNetV2B0": True}

FileFormat = Literal["fp32", "fp16", "dynamic", "int8"]
"""The numbers in a converted file: float32; float16 weights; int8 weights, float32 sums; int8 throughout, uint8 in."""
FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)


@dataclass(frozen=True)
class Mix:
    """What a batch holds."""

    pairs: int = 28
    """Items with a shop photo, two views each."""
    consumer_pairs: int = 12
    """Items with consumer photos only, cut out by a mask, two views each. Without masks there are none."""
    singles: int = 24
    """Consumer photos, one view each."""
    small: int = 0
    """Small shop photos, one view each."""


@dataclass(frozen=True)
class Augmentation:
    """The strength of each change to a view: 1 as written in `views`, 0 for none."""

    ground: float = 1.0
    """A background behind a cut-out garment; white without it."""
    clutter: float = 1.0
    """Other garments in sight."""
    occlusion: float = 1.0
    """Something lies over the garment."""
    turn: float = 1.0
    """Rotation."""
    bend: float = 1.0
    """Perspective."""
    crop: float = 1.0
    """Nearer or farther, and off the middle."""
    light: float = 1.0
    """Brightness, white balance, contrast, and a lamp to one side."""
    blur: float = 1.0
    noise: float = 1.0
    jpeg: float = 1.0
    mixup: float = 1.0
    """Blending of consumer photos (`batches`)."""
    street: float = 1.0
    """Crops of people, and things in front of people, among the phone views of shop photos (`street`)."""
    small: float = 1.0
    """Large shop photos made small, if there are small ones."""


FULL = Augmentation()
"""Every change at full strength, as a run has it by default."""


@dataclass(frozen=True)
class Config:
    """Everything but the photos that decides what a run does."""

    weights: str
    steps: int
    minutes: float
    teacher: str = ""
    """A .tflite file whose vectors the run learns to match, see `teacher`; "" for none."""
    start: str = ""
    """The folder of a run whose best model replaces the backbone's weights at the start; "" for none."""
    side: int = INPUT_SIZE
    """The side of the views in px. Weights fit any side, so a long training can begin with small views."""
    bfloat16: bool = False
    """Whether the backbone computes in bfloat16, which is a third faster on a processor with AVX512-BF16."""
    masks: str = ""
    """The folder of the consumer photos' masks, see `read_mask`; "" for none."""
    mix: Mix = field(default_factory=Mix)
    backbone: str = "MobileNetV2"
    losses: dict[str, float] = field(default_factory=LOSSES.copy)
    augmentation: Augmentation = field(default_factory=Augmentation)
    dimension: int = 192
    """The length of the converted model's vector, and of what the embedder tells items apart by (`items_and_kinds`)."""
    frozen_through: str = "block_6_project_BN"
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    every: int = 150
    seed: int = 0
    split: Split = field(default_factory=Split)
    everything: bool = False
    """Whether validation and test train too: for shipping, once the split has chosen recipe and steps. The figures on
    the way then say only whether something broke."""

"""What a training run can be told. No Keras in here, whose ten seconds `scripts/train.py --help` need not wait for."""

from dataclasses import dataclass, field

from embeddings.training.data.photos import Split
from embeddings.training.views.augmentation import Augmentation
from embeddings.training.views.batches import Mix

LOSSES = {
    "category": 1.5,
    "kind": 1.3,
    "implied": 0.65,
    "colour": 1.3,
    "palette": 1.6,
    "items": 1.5,
    "neighbours": 1.2,
}
"""What each loss counts. `implied`: consumer photos have no kind, but their category says which kinds they may be."""

# The backbones of keras.applications worth trying here, and whether they scale pixels 0-255 themselves.
BACKBONES = {"MobileNetV2": False, "MobileNetV3Large": True, "EfficientNetB0": True, "EfficientNetV2B0": True}


@dataclass(frozen=True)
class Config:
    """All that a run follows from, beside the photos."""

    weights: str
    steps: int
    minutes: float
    masks: str = ""
    """Folder of the consumer photos' masks, see `read_mask`; "" for none."""
    mix: Mix = field(default_factory=Mix)
    backbone: str = "MobileNetV2"
    losses: dict[str, float] = field(default_factory=LOSSES.copy)
    augmentation: Augmentation = field(default_factory=Augmentation)
    dimension: int = 256
    frozen_through: str = "block_6_project_BN"
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    every: int = 150
    seed: int = 0
    split: Split = field(default_factory=Split)

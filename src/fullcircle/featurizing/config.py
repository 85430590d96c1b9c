"""Configuration of the stage featurize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fullcircle.features.encoders import EncoderConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturizeConfig(EncoderConfig):
    """How features are encoded, filled, scaled and selected; conf/defaults.yaml explains each number."""

    missing: Literal["keep", "median"]
    scale: Literal["none", "standard"]
    max_correlation: float
    min_information: float
    select: Literal["none", "stable"] = "none"
    min_stability: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.max_correlation <= 1:
            raise ValueError(f"max_correlation {self.max_correlation:g} is outside 0..1")
        if min(self.few_levels, self.min_level_rows, self.smoothing, self.min_information) < 0:
            raise ValueError("few_levels, min_level_rows, smoothing and min_information must not be negative")
        if not 0 <= self.min_stability <= 1:
            raise ValueError(f"min_stability {self.min_stability:g} is outside 0..1")
        if self.cross_fit < 1:
            raise ValueError(f"cross_fit {self.cross_fit} is a number of folds: 1 (none), or 2 and more")
        if self.scale == "standard" and self.missing == "keep":
            raise ValueError("scale: standard needs missing: median, because a null cannot be scaled")

"""The plan: how raw input columns become the model's features. Fitted once, on training rows; applied everywhere.

Training and scoring call the same `apply`, so there is no second implementation that could disagree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base.checks import Column
from ..base.errors import BundleError
from ..base.files import read_json, write_text
from ..base.typed import build, plain
from . import unknown
from .encoders import Encoder

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
PLAN = "features.json"


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A reference table: `values[column][i]` belongs to `keys[i]`.

    Where the key is unknown or null, and where the table itself has a null, stands `typical` of the row's
    `fallback` column, else `default`.
    """

    key: str
    keys: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]
    fallback: str | None
    typical: dict[str, dict[str, float]]  # output column -> value of the fallback column -> number
    default: dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """Raw input columns -> lookups -> created features -> encoders -> selection -> filling and scaling.

    `selected`: the outputs that the model sees, in its order. `fill`: what stands in for null, one a selected
    output (None: nulls stay). `center`, `scale`: (x - center) / scale, likewise. `ignored`: columns of the table that
    was learnt from which are no inputs, such as its identifiers: they may come along, and are not read.
    """

    format: int
    inputs: dict[str, Column]
    lookups: tuple[LookupTable, ...]
    created: tuple[str, ...]
    encoders: tuple[Encoder, ...]
    selected: tuple[str, ...]
    fill: tuple[float, ...] | None = None
    center: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    crossed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise BundleError(f"the plan is of format {self.format}, and this version reads format {FORMAT}")
        for name, numbers in (("fill", self.fill), ("center", self.center), ("scale", self.scale)):
            if numbers is not None and len(numbers) != len(self.selected):
                raise ValueError(f"{name} has {len(numbers)} numbers for {len(self.selected)} features")
        if absent := unknown(self.created):
            raise BundleError(f"the plan names features that this version does not have: {absent}")


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan as JSON, whole or not at all."""
    write_text(folder / PLAN, json.dumps(plain(plan), ensure_ascii=False, separators=(",", ":")) + "\n")


def read_plan(folder: Path) -> Plan:
    """Read what `write_plan` wrote."""
    return build(Plan, read_json(folder / PLAN), str(folder / PLAN))

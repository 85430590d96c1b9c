"""Which encoders a feature gets: those of its kind, or those that the problem names; and how they are fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from .categories import Frequency, OneHot, Order, TargetMean, fit_frequency, fit_order, fit_target_mean, levels_of
from .numbers import Difference, Group, Missing, Number, Ratio
from .texts import Length, Words, fit_words
from .times import CYCLES, PARTS, Time

if TYPE_CHECKING:
    from ..base.columns import Array, Rows

Encoder: TypeAlias = (
    Number | Missing | Ratio | Difference | Group | OneHot | TargetMean | Order | Frequency | Time | Length | Words
)
Kind: TypeAlias = Literal["number", "category", "text", "time"]
ENCODINGS: dict[Kind, tuple[str, ...]] = {  # what a kind can be given
    "number": ("number", "missing"),
    "category": ("onehot", "target", "order", "frequency", "missing"),
    "time": ("parts", "cycles", "days", "missing"),
    "text": ("words", "length", "missing"),
}
DEFAULTS: dict[Kind, tuple[str, ...]] = {  # and what it is given where nothing is said
    "number": ("number",),
    "time": ("parts", "cycles"),
    "text": ("words", "length"),
}

ORDERED = 3  # levels from which on they can be in more than one order that a tree would tell apart


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """How encoders are chosen and fitted; what each number means stands in conf/defaults.yaml."""

    few_levels: int
    min_level_rows: int
    smoothing: float
    cross_fit: int = 1
    rare: Literal["unknown", "level"] = "unknown"
    flag_missing: bool = False
    ordered: bool = False


def proposed(rows: int) -> dict[str, int | float | bool]:
    """Settings of `EncoderConfig` for a table of so many training rows; docs/features.md says what they rest on."""
    least = min(50, max(2, rows // 5000))
    return {"few_levels": 20, "min_level_rows": least, "smoothing": 10.0, "cross_fit": 5, "ordered": True}


def kind_of(rows: Rows, name: str) -> Kind:
    """The kind of a column that no schema describes, by what it holds."""
    known: dict[str, Kind] = {"O": "category", "M": "time"}
    return known.get(rows[name].dtype.kind, "number")


def fit_encoders(
    name: str, kind: Kind, asked: tuple[str, ...], rows: Rows, y: Array, config: EncoderConfig
) -> list[tuple[Encoder, Array | None]]:
    """Fit the encoders of one feature: those `asked` for, or if there are none what its kind is given.

    `y`: float64 (rows, outputs), of `targets.indicators`. Beside an encoder stands what training rows are to learn from
    instead of its outputs, float64 (rows, outputs), where that is out of fold.
    """
    found: list[tuple[Encoder, Array | None]] = []
    for encoding in asked or _given(name, kind, rows, config):
        if encoding in ("target", "words"):
            encoder, learnt = _fit_to_target(name, kind, rows, y, config)
            found.append((encoder, learnt if config.cross_fit > 1 else None))
        elif encoding == "order":
            order = fit_order(name, rows.coded(name), *_levels(name, rows, config), y, config.smoothing)
            found.append((order, None))
        else:
            found.append((_fit(name, encoding, rows, config), None))
    return found


def _given(name: str, kind: Kind, rows: Rows, config: EncoderConfig) -> tuple[str, ...]:
    if kind == "category":
        common, _ = levels_of(rows.coded(name), config.min_level_rows)
        given: tuple[str, ...] = ("onehot",) if len(common) <= config.few_levels else ("target",)
        if config.ordered and ORDERED <= len(common) <= config.few_levels:
            given += ("order",)
    else:
        given = DEFAULTS[kind]
    return (*given, "missing") if config.flag_missing and rows.null(name).any() else given


def _levels(name: str, rows: Rows, config: EncoderConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    common, rare = levels_of(rows.coded(name), config.min_level_rows)
    return common, rare if config.rare == "level" else ()


def _fit_to_target(
    name: str, kind: Kind, rows: Rows, y: Array, config: EncoderConfig
) -> tuple[TargetMean | Words, Array]:
    found, smoothing, folds = rows.coded(name), config.smoothing, config.cross_fit
    if kind == "text":
        return fit_words(name, found, y, config.min_level_rows, smoothing, folds)
    return fit_target_mean(name, found, *_levels(name, rows, config), y, smoothing, folds)


def _fit(name: str, encoding: str, rows: Rows, config: EncoderConfig) -> Encoder:
    if encoding == "number":
        return Number("number", name)
    if encoding == "missing":
        return Missing("missing", name)
    if encoding == "onehot":
        return OneHot("onehot", name, *_levels(name, rows, config))
    if encoding == "frequency":
        return fit_frequency(name, rows.coded(name))
    if encoding == "length":
        return Length("length", name)
    parts, cycles = PARTS if encoding == "parts" else (), CYCLES if encoding == "cycles" else ()
    return Time("time", name, parts, cycles, encoding == "days")


def unlike(encoder: Encoder, taken: set[str]) -> Encoder:
    """The same encoder; if an output's name is `taken`, one whose outputs begin with another name."""
    found, count = encoder, 1
    while not taken.isdisjoint(found.outputs):
        count += 1
        found = replace(encoder, name=f"{encoder.feature}~{count}")
    return found

"""The problem, typed: what `conf/problem/NAME.yaml` may contain."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from fullcircle.core.source import Source
from fullcircle.core.target import Costs, Target
from fullcircle.pointintime.spec import Moment


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference table that travels in the scorer: a row has the key, the scorer knows the rest.

    An unknown or missing key falls back on what is typical (the median) of training rows with the same
    `fallback` column, and then of all.
    """

    table: str
    key: str  # column of the raw input
    matches: str  # column of the reference table
    columns: dict[str, str]  # column of the reference table -> name it gets
    fallback: str | None = None


Encoding: TypeAlias = Literal[
    "number", "missing", "onehot", "target", "order", "frequency", "parts", "cycles", "days", "words", "length"
]


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees. A column is a raw one, a looked-up one or, but for `columns`, a created one.

    `columns`: as they are, encoded by their kind. `created`: functions of `fullcircle.features.created` by name.
    `encode`: column -> encodings to give it instead of those of its kind. `ratios`, `differences`: pairs of numbers
    (differences also of times). `groups`: pairs of a number and a category to average it by. See docs/features.md.
    """

    columns: tuple[str, ...]
    created: tuple[str, ...] = ()
    encode: dict[str, tuple[Encoding, ...]] = field(default_factory=dict)
    ratios: tuple[tuple[str, str], ...] = ()
    differences: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        named = [*self.columns, *self.created]
        if twice := sorted(name for name, count in Counter(named).items() if count > 1):
            raise ValueError(f"named twice: {', '.join(twice)}")
        if lost := [name for name in self.encode if name not in named]:
            raise ValueError(f"encode names what is no feature: {', '.join(lost)}")
        if empty := [name for name, encodings in self.encode.items() if not encodings]:
            raise ValueError(f"encode names no encoding for {', '.join(empty)}; leave it out for those of its kind")


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold of the verdict.

    `metric`: a name in metrics/test.json, or one of `slice_gap`, `train_gap`, `over_dummy`, `over_rule`,
    `over_champion`, `over_champion_low`, `over_champion_slice` (all in the primary metric, above 0 where the model is
    better), `invariance`, `direction`.
    Passed when `min` <= value <= `max`.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if (self.min is None) == (self.max is None):
            raise ValueError("a gate has a min or a max, not both and not neither")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A change of one input, and how the prediction must respond, for at least `share` of the rows.

    `same`: move by no more than `tolerance`; `up` or `down`: move that way, or not at all (`tolerance` against it).
    `tolerance` is in the unit of the prediction. `of`: the class whose probability is meant, if there are several.
    """

    name: str
    column: str
    expect: Literal["same", "up", "down"]
    add: float | None = None  # number: added to the value
    set: float | str | None = None  # or: the value it is set to
    of: str | None = None
    tolerance: float = 0.0
    share: float = 0.9

    def __post_init__(self) -> None:
        if (self.add is None) == (self.set is None):
            raise ValueError(f"{self.name}: give either `add` or `set`")
        if not 0 < self.share <= 1:
            raise ValueError(f"{self.name}: share {self.share:g} is outside 0..1")


@dataclass(frozen=True, slots=True)
class Time:
    """The borders of a split by time: train before `validation_from`, validation before `test_from`, test from then on.

    Numbers, or dates as text, one per column, compared column by column.
    """

    columns: tuple[str, ...]
    validation_from: tuple[float | str, ...]
    test_from: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who is responsible: a role, and a name and date once signed."""

    role: str
    name: str | None = None
    date: str | None = None


def unfinished(decision: str, sign_off: SignOff) -> tuple[str, ...]:
    """The keys that a draft leaves open: their text still begins with `?`."""
    texts = {"decision": decision, "sign_off.role": sign_off.role}
    return tuple(key for key, text in texts.items() if text.lstrip().startswith("?"))


@dataclass(frozen=True, slots=True)
class Problem:
    """One question about one table of data.

    `row`: columns that identify a row; empty: all of them. `together`: columns whose equal values make
    rows dependent, such as days that share their weather; empty: no rows are. `duplicates`: what rows that are equal
    in all but the target are: `copies` of one row, which a random split keeps on one side, or `independent` rows.
    `metric`: the primary one, of `evaluation.metrics`.
    """

    name: str
    question: str
    decision: str
    unit: str
    table: str
    sources: dict[str, Source]
    data: str  # the file in conf/data/ that describes the tables
    target: Target
    features: Features
    metric: str
    gates: tuple[Gate, ...]
    sign_off: SignOff
    moment: Moment | None = None
    lookups: tuple[Lookup, ...] = ()
    row: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    duplicates: Literal["copies", "independent"] = "copies"
    time: Time | None = None
    costs: Costs | None = None
    slices: tuple[str, ...] = ()
    behaviour: tuple[Behaviour, ...] = ()
    limits: tuple[str, ...] = ()  # what the model must not be used for; shown in its card

    RENAMED: ClassVar[dict[str, str]] = {"alike": "duplicates (together is now copies, apart is independent)"}

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise ValueError(f"name {self.name!r} must be small letters, digits, - and _: it names files and wheels")
        if self.costs is not None and self.target.task != "binary":
            raise ValueError("costs set the threshold between two classes; this target has none")

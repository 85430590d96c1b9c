"""Facts: everything that the page and the card show, gathered from the files of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Behaviour, Costs, Moment, Schema, SignOff, Target
from fullcircle.evaluation.behaviour import Behaved
from fullcircle.evaluation.gates import Verdict
from fullcircle.evaluation.slices import Slice
from fullcircle.report.reading import contents, number, numbers, rows
from fullcircle.runtime.columns import Column
from fullcircle.runtime.typed import build

if TYPE_CHECKING:
    from pathlib import Path


T = TypeVar("T")
Points = tuple[tuple[float, ...], ...]
Interval = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Raw:
    """One table as it was read."""

    origin: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sifted:
    """One table after its checks: counts of rows, and counts by rule or column."""

    rows: int
    kept: int
    rejected: int
    rules: dict[str, int]
    mended: dict[str, int]
    missing: dict[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """A number of rows, and the share of positives among them (0..1)."""

    rows: int
    positive: float


@dataclass(frozen=True, slots=True)
class Split:
    """The three sides of the split; `spans` says in words which rows each holds.

    `borders`: where validation and test begin, written as 2013-09-01; none if the split is not by time.
    """

    kind: str
    columns: tuple[str, ...]
    sides: dict[str, Share]
    spans: dict[str, str]
    borders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that the model does not see, and why."""

    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Features: how many there were, which were selected, what each tells about the target (bits)."""

    candidates: int
    selected: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble: its position among `model.members`, its weight (0..1), the rounds it was fitted for."""

    place: int
    weight: float
    rounds: int | None


@dataclass(frozen=True, slots=True)
class Fit:
    """What training said: AUC on its own rows, metrics on validation rows, the sigmoid behind the model.

    `members`: those of an ensemble that were picked; another model has none.
    """

    train_auc: float
    validation: dict[str, float | None]
    calibration: dict[str, float]
    rounds: int | None
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test rows said. `interval`: a level, as 0.95. `rejected`: rows not scored, by reason."""

    rows: int
    positive: float
    threshold: float
    interval: float
    resampled_by: tuple[str, ...]
    rejected: dict[str, int]
    metrics: dict[str, float | None]
    intervals: dict[str, Interval]
    baselines: dict[str, Any]
    slices: tuple[Slice, ...]
    behaviour: tuple[Behaved, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Test rows by what was foretold and what came."""

    hits: int
    missed: int
    false_alarms: int
    quiet: int

    def cost(self, costs: Costs) -> float:
        """What the model's mistakes cost, in the unit of the costs."""
        return costs.missed * self.missed + costs.false_alarm * self.false_alarms

    def cost_of_habit(self, costs: Costs) -> tuple[str, float]:
        """The cheaper of two ways to do without a model, and its cost."""
        always = "always raise an alarm", costs.false_alarm * (self.false_alarms + self.quiet)
        never = "never raise an alarm", costs.missed * (self.hits + self.missed)
        return min(always, never, key=lambda habit: habit[1])


@dataclass(frozen=True, slots=True)
class Curves:
    """Points of each curve, x and y; of `calibration` predicted, observed and rows of a bin.

    `learning` is empty for a model that has no rounds.
    """

    learning: dict[str, Points]
    roc: Points
    precision_recall: Points
    calibration: Points
    importance: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of the problem that people read."""

    name: str
    question: str
    decision: str
    unit: str
    moment: Moment
    table: str
    target: Target
    metric: str
    costs: Costs
    slices: tuple[str, ...]
    behaviour: tuple[Behaviour, ...]
    sign_off: SignOff
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One run, from the question to the verdict. `versions`: package -> version of what it ran with."""

    problem: Asked
    withheld: tuple[str, ...]  # columns that become known only after the moment of prediction
    observed: str | None  # the table of last observations
    model: dict[str, Any]
    judging: dict[str, Any]  # the configuration of validate
    raw: dict[str, Raw]
    sifted: dict[str, Sifted]
    unobserved: int | None  # rows without an observation; None where the problem has none
    by_month: dict[str, Share]
    split: Split
    selection: Selection
    fit: Fit
    tested: Tested
    confusion: Confusion
    curves: Curves
    verdict: Verdict
    inputs: dict[str, Column]
    versions: dict[str, str]


def gather(versions: dict[str, str] | None = None) -> Facts:
    """Read the files of the last run. Raises DataError if one is missing, ConfigError if it is odd."""
    problem = _part(Asked, {f.name: load(Any, f"problem.{f.name}") for f in fields(Asked)}, "problem")
    schema = _part(Schema, contents(paths.SCHEMA), str(paths.SCHEMA))
    clean, months = contents(paths.CLEAN_REPORT), contents(paths.LABEL_REPORT).get("by_month", {})
    fit = contents(paths.TRAIN_REPORT) | {"rounds": contents(paths.TRAIN_METRICS).get("rounds")}
    return Facts(
        problem=problem,
        withheld=schema.outcomes,
        observed=schema.observed,
        model=load(dict[str, Any], "model"),
        judging=load(dict[str, Any], "validate"),
        raw={name: _part(Raw, table, name) for name, table in contents(paths.RAW_MANIFEST).items()},
        sifted={name: _part(Sifted, clean[name], name) for name in clean if name != "point_in_time"},
        unobserved=_unobserved(clean) if schema.observed else None,
        by_month={month: _part(Share, share, month) for month, share in months.items()},
        split=_split(load(dict[str, Any], "split"), contents(paths.SPLIT_REPORT)),
        selection=_part(Selection, contents(paths.FEATURES_REPORT), str(paths.FEATURES_REPORT)),
        fit=_part(Fit, fit, str(paths.TRAIN_REPORT)),
        tested=_tested(contents(paths.TEST_REPORT), contents(paths.TEST_METRICS)),
        confusion=_confusion(paths.CONFUSION, problem.target),
        curves=_curves(paths.CURVE / "plots" / "metrics"),
        verdict=_part(Verdict, contents(paths.VERDICT), str(paths.VERDICT)),
        inputs=build(dict[str, Column], contents(paths.SCORER / "features.json")["inputs"], "inputs"),
        versions=versions or {},
    )


def _unobserved(clean: dict[str, Any]) -> int | None:
    rows = clean.get("point_in_time", {}).get("rows_without_observation")
    return None if rows is None else int(rows)


def _split(config: dict[str, Any], report: dict[str, Any]) -> Split:
    sides = {side: _part(Share, report[side], side) for side in ("train", "validation", "test")}
    keys = ("validation_from", "test_from") if config["kind"] == "time" else ()
    borders = tuple("-".join(f"{v:02}" for v in config[key]) for key in keys)
    return Split(config["kind"], tuple(config["columns"]), sides, _spans(config, borders), borders)


def _spans(config: dict[str, Any], borders: tuple[str, ...]) -> dict[str, str]:
    if borders:
        train, test = f"before {borders[0]}", f"from {borders[1]}"
        return {"train": train, "validation": f"from {borders[0]}, before {borders[1]}", "test": test}
    what = "of groups" if config["kind"] == "group" else "of each class"
    shares = {side: f"{config[side]:.0%} {what}, by hash" for side in ("validation", "test")}
    return {"train": "the rest"} | shares


def _tested(report: dict[str, Any], metrics: dict[str, Any]) -> Tested:
    behaved = [{k: v for k, v in check.items() if k != "passed"} for check in report["behaviour"]]
    return _part(Tested, report | {"metrics": metrics, "behaviour": behaved}, str(paths.TEST_REPORT))


def _confusion(path: Path, target: Target) -> Confusion:
    counts = {(row["actual"], row["predicted"]): int(row["rows"]) for row in rows(path)}
    yes, no = target.positive, target.negative
    return Confusion(counts[yes, yes], counts[yes, no], counts[no, yes], counts[no, no])


def _curves(rounds: Path) -> Curves:
    logged = {side: rounds / f"{side}.tsv" for side in ("train", "validation")}
    return Curves(
        learning={side: numbers(path, "step", side) for side, path in logged.items() if path.is_file()},
        roc=numbers(paths.ROC, "fpr", "tpr"),
        precision_recall=numbers(paths.PRECISION_RECALL, "recall", "precision"),
        calibration=numbers(paths.CALIBRATION, "predicted", "observed", "rows"),
        importance=tuple((r["feature"], number(r["importance"])) for r in rows(paths.IMPORTANCE)),
    )


def _part(kind: type[T], data: dict[str, Any], where: str) -> T:
    """A `kind` of the keys that it has: a report may say more than the page shows."""
    known = {f.name: data[f.name] for f in fields(kind) if f.name in data}  # type: ignore[arg-type]
    return build(kind, known, where)

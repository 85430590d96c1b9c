"""What the page says of several classes: which is taken for which, and how well each is ranked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from fullcircle.report import bands, charts
from fullcircle.report.charts import Axis, Series
from fullcircle.report.components import Figure, Tile, largest, most
from fullcircle.report.components import tiles as tiles_of
from fullcircle.report.formatting import share
from fullcircle.report.svg import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fullcircle.core.target import TargetDistribution
    from fullcircle.report.facts import Facts
    from fullcircle.report.parts import Points
    from fullcircle.report.terms import Wording

TEMPLATE = "multiclass.html.jinja"
SECTION = "Confusion"
HEADS: tuple[str, ...] = ("Most frequent",)
FORECAST = "probability"
KNOWING_NOTHING = "the training share of each class for every row"

LINES = 6  # classes that a chart tells apart
MATRIX = 20  # classes whose table of what was taken for what can be read
LISTED = 25  # classes in a list
NAME = 180.0  # width of a class's name in a legend

OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class on test rows: how many there are, how many were predicted, and with what it is confused most often."""

    name: str
    actual: int
    predicted: int
    recall: float | None
    precision: float | None
    mistaken: str
    times: int


def cells(spread: TargetDistribution, _say: Wording) -> tuple[str, ...]:
    """How the target is spread over some rows, as HEADS has it."""
    return (most(spread.shares),)


def mean(values: Sequence[float], facts: Facts, _say: Wording) -> str:
    """The mean target of a slice: its most frequent class."""
    return most(dict(zip(facts.calibration.classes, values, strict=True)))


def tiles(facts: Facts, say: Wording) -> list[Tile]:
    """The primary metric, and how often the predicted class is right."""
    metrics = facts.problem.metric, "acc", "bacc", "ece", "logloss", "auc"
    return tiles_of(facts, say, metrics, {"ece": "mean gap between a probability and how often it came true"})


def metric_note(_facts: Facts) -> str:
    """What the metrics of decisions go by."""
    return "Accuracy, balanced accuracy and F1 are of the most probable class."


def promises(_facts: Facts) -> dict[str, float]:
    """Metrics that were promised to have some value."""
    return {}


def evaluated_on(facts: Facts, _say: Wording) -> str:
    """How the balance of the test rows differs from that of training."""
    name = max(facts.spread.shares, key=lambda name: facts.spread.shares[name])
    train = share(facts.split.sides["train"].shares[name])
    return f"{share(facts.spread.shares[name])} of them {name}, the most frequent class; training rows had {train}"


def balance(facts: Facts) -> dict[str, list[float]]:
    """Class -> its share on each side of the split; the largest on training rows where there are many."""
    sides = facts.split.sides
    return {
        name: [of.shares.get(name, 0.0) for of in sides.values()] for name in largest(sides["train"].shares, LISTED)
    }


def lines(facts: Facts) -> list[ClassLine]:
    """The classes in their order; of many those that are found least often, the worst first."""
    table, found = facts.confusion, []
    for i, (name, actual, predicted) in enumerate(zip(table.classes, table.actual, table.predicted, strict=True)):
        hits = table.rows[i][i]
        wrong = {other: n for j, (other, n) in enumerate(zip(table.classes, table.rows[i], strict=True)) if j != i}
        mistaken = max(wrong, key=lambda other: wrong[other])
        recall, precision = (hits / actual if actual else None), (hits / predicted if predicted else None)
        found.append(ClassLine(name, actual, predicted, recall, precision, mistaken, wrong[mistaken]))
    if len(found) <= LISTED:
        return found
    return sorted(found, key=lambda line: 2.0 if line.recall is None else line.recall)[:LISTED]


def months(facts: Facts, _say: Wording) -> Figure:
    """The share of each class month by month, the largest classes apart."""
    overall = facts.split.sides["train"].shares
    kept = list(overall) if len(overall) <= LINES else largest(overall, LINES - 1)
    rest = [OTHERS] if len(kept) < len(overall) else []
    values = []
    for month, spread in facts.by_month.items():
        shares = [spread.shares.get(name, 0.0) for name in kept]
        values.append(bands.Stack(month, (*shares, *([max(1 - sum(shares), 0.0)] if rest else []))))
    y = Axis("share of rows", 0, 1, share=True)
    names = [shortened(name, NAME) for name in [*kept, *rest]]
    svg = bands.stacks("Shares of the classes by month", names, values, y)
    note = "A model learns the balance of the months it is shown, and meets another one later."
    return Figure("months", "Classes by month", svg, note, wide=True)


def curves(facts: Facts, _say: Wording) -> list[Figure]:
    """ROC, precision and recall of each class against the rest, and calibration of the predicted class."""
    drawn, figures = facts.curves, []
    shown = hardest(drawn.roc)
    which = (
        f" The {len(shown)} of {len(drawn.roc)} classes that are ranked worst." if len(shown) < len(drawn.roc) else ""
    )
    if shown:
        note = f"Each class against the rest: the share of it that is caught, over the share of others that is.{which}"
        figures.append(Figure("roc", "ROC of each class", _roc({name: drawn.roc[name] for name in shown}), note))
    if ranked := {name: drawn.precision_recall[name] for name in shown if name in drawn.precision_recall}:
        note = f"How often a class that is named is right, over how much of it is found.{which}"
        figures.append(
            Figure("precision_recall", "Precision and recall of each class", _precision_recall(ranked), note)
        )
    if drawn.calibration:
        right = share(facts.tested.metrics.get("acc"))
        note = f"Bins of equal count. On average {share(drawn.predicted)} were predicted, and {right} were right."
        heading = "Calibration of the predicted class"
        figures.append(Figure("calibration", heading, _calibration(drawn.calibration), note))
    return figures


def hardest(roc: Mapping[str, Points]) -> list[str]:
    """The classes to draw: all of a few, else those of the smallest area under the curve, in the order of all."""
    known = {name: _area(points) for name, points in roc.items() if points}
    if len(known) <= LINES:
        return list(known)
    kept = sorted(known, key=lambda name: known[name])[: LINES - 1]
    return [name for name in known if name in kept]


def learning_note(_facts: Facts) -> str:
    """What to mind when the two lines of the learning curve are compared."""
    return "Log loss depends on the balance of the classes: compare the shapes, not the heights."


def _area(points: Points) -> float:
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))


def _roc(curves: Mapping[str, Points]) -> str:
    return charts.line_chart(
        "ROC curve of each class on test rows",
        [Series(shortened(name, NAME), points) for name, points in curves.items()],
        Axis("share of other rows that are taken for it", 0, 1, share=True),
        Axis("share of its rows that are found (recall)", 0, 1, share=True),
        diagonal="chance",
    )


def _precision_recall(curves: Mapping[str, Points]) -> str:
    return charts.line_chart(
        "Precision-recall curve of each class on test rows",
        [Series(shortened(name, NAME), points) for name, points in curves.items()],
        Axis("recall", 0, 1, share=True),
        Axis("precision", 0, 1, share=True),
    )


def _calibration(points: Points) -> str:
    return charts.line_chart(
        "Calibration on test rows: probability of the predicted class against how often it came",
        [Series("model", [(predicted, observed) for predicted, observed, _ in points])],
        Axis("probability of the predicted class", 0, 1, share=True),
        Axis("share of predictions that came true", 0, 1, share=True),
        diagonal="perfect calibration",
        dots=True,
    )

"""What the page says of two classes: alarms at a threshold, and the curves of every other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullcircle.report import charts
from fullcircle.report.charts import Axis, Mark, Series
from fullcircle.report.components import Figure, Tile
from fullcircle.report.components import tiles as tiles_of
from fullcircle.report.formatting import number, share
from fullcircle.report.splits import side_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fullcircle.core.target import TargetDistribution
    from fullcircle.report.facts import Facts
    from fullcircle.report.parts import Points
    from fullcircle.report.terms import Wording

TEMPLATE = "binary.html.jinja"
SECTION = "Decisions"
HEADS: tuple[str, ...] = ("Positive",)
FORECAST = "probability"
KNOWING_NOTHING = "the training share of positives for every row"


def cells(spread: TargetDistribution, _say: Wording) -> tuple[str, ...]:
    """How the target is spread over some rows, as HEADS has it."""
    return (share(spread.positive),)


def mean(values: Sequence[float], _facts: Facts, _say: Wording) -> str:
    """The mean target of a slice: its share of positives."""
    return share(values[0])


def tiles(facts: Facts, say: Wording) -> list[Tile]:
    """The primary metric, how many are caught, how many alarms are right, and whether probabilities are believed."""
    positive = facts.calibration.classes[1]
    about = {
        "rec": f"of the {positive} rows raise an alarm",
        "prec": f"of the alarms turn out {positive}",
        "ece": "mean gap between predicted and observed share",
    }
    return tiles_of(facts, say, (facts.problem.metric, "rec", "prec", "ece", "auc"), about)


def metric_note(facts: Facts) -> str:
    """At which threshold the metrics of decisions are."""
    return f"Accuracy, precision, recall and F1 are at the threshold {number(threshold(facts), 3)}."


def promises(_facts: Facts) -> dict[str, float]:
    """Metrics that were promised to have some value."""
    return {}


def evaluated_on(facts: Facts, _say: Wording) -> str:
    """How the balance of the test rows differs from that of training."""
    train = share(facts.split.sides["train"].positive)
    return f"{share(facts.spread.positive)} of them positive; training rows had {train}"


def threshold(facts: Facts) -> float:
    """The probability from which on the positive class is predicted."""
    return facts.calibration.threshold if facts.calibration.task == "binary" else 0.5


def months(facts: Facts, _say: Wording) -> Figure:
    """The share of positives month by month."""
    by_month, name = facts.by_month, facts.calibration.classes[1]
    shares = {month: spread.positive or 0.0 for month, spread in by_month.items()}
    values = [charts.Column(month, value, side_of(month, facts.split)) for month, value in shares.items()]
    rows = sum(spread.rows for spread in by_month.values())
    overall = sum(spread.rows * shares[month] for month, spread in by_month.items()) / rows
    y = charts.axis("share of positives", [overall, *shares.values()], share=True, zero=True)
    svg = charts.columns("Share of positives by month", values, y, (f"all months: {share(overall)}", overall))
    note = "A model learns the balance of the months it is shown, and meets another one later."
    return Figure("months", f"Share of {name} rows by month", svg, note, wide=True)


def curves(facts: Facts, _say: Wording) -> list[Figure]:
    """ROC, precision and recall, calibration; those that there is something to draw of."""
    drawn, figures = facts.curves, []
    if roc := _only(drawn.roc):
        note = "Every threshold's share of positives caught, over its share of false alarms."
        figures.append(Figure("roc", "ROC", _roc(facts, roc), note))
    if ranked := _only(drawn.precision_recall):
        note = "How right the alarms are, over how many positives they catch."
        figures.append(Figure("precision_recall", "Precision and recall", _precision_recall(facts, ranked), note))
    if drawn.calibration:
        note = (
            f"Bins of equal count. On average {share(drawn.predicted)} were predicted, "
            f"and {share(facts.spread.positive)} came true."
        )
        figures.append(Figure("calibration", "Calibration", _calibration(drawn.calibration), note))
    return figures


def _only(curve: Mapping[str, Points]) -> Points:
    """The points of the positive class: the other one has none of its own."""
    return next(iter(curve.values()), ())


def _roc(facts: Facts, points: Points) -> str:
    quiet, false = facts.confusion.rows[0]
    recall = facts.tested.metrics.get("rec")
    known = recall is not None and false + quiet
    return charts.line_chart(
        "ROC curve on test rows",
        [Series("model", points)],
        Axis("share of negatives that raise an alarm", 0, 1, share=True),
        Axis("share of positives that raise an alarm (recall)", 0, 1, share=True),
        diagonal="chance",
        marks=[Mark(f"threshold {threshold(facts):.3g}", false / (false + quiet), recall or 0.0)] if known else [],
    )


def _precision_recall(facts: Facts, points: Points) -> str:
    recall, precision = facts.tested.metrics.get("rec"), facts.tested.metrics.get("prec")
    known, positive = recall is not None and precision is not None, facts.spread.positive or 0.0
    return charts.line_chart(
        "Precision-recall curve on test rows",
        [Series("model", points)],
        Axis("recall", 0, 1, share=True),
        Axis("precision", 0, 1, share=True),
        level=(f"chance: {share(positive)} positive", positive),
        marks=[Mark(f"threshold {threshold(facts):.3g}", recall or 0.0, precision or 0.0)] if known else [],
    )


def _calibration(points: Points) -> str:
    return charts.line_chart(
        "Calibration on test rows: predicted probability against observed share",
        [Series("model", [(predicted, observed) for predicted, observed, _ in points])],
        Axis("predicted probability", 0, 1, share=True),
        Axis("observed share of positives", 0, 1, share=True),
        diagonal="perfect calibration",
        dots=True,
    )


def learning_note(facts: Facts) -> str:
    """What to mind when the two lines of the learning curve are compared."""
    sides = facts.split.sides
    return (
        "Log loss depends on the share of positives, which differs between the sides "
        f"({share(sides['train'].positive)} and {share(sides['validation'].positive)}): "
        "compare the shapes, not the heights."
    )

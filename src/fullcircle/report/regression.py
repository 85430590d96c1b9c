"""What the page says of a number: how far it is off, and what its prediction interval holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullcircle.report import bands, charts
from fullcircle.report.bands import Band
from fullcircle.report.charts import Series
from fullcircle.report.components import Figure, Tile
from fullcircle.report.components import tiles as tiles_of
from fullcircle.report.formatting import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.core.target import TargetDistribution
    from fullcircle.report.facts import Facts
    from fullcircle.report.terms import Wording

TEMPLATE = "regression.html.jinja"
SECTION = "Interval"
HEADS: tuple[str, ...] = ("Mean", "Deviation", "Lowest", "Median", "Highest")
FORECAST = "forecast"
KNOWING_NOTHING = "the training mean for every row"

WITHIN = "5% to 95% of rows"


def cells(spread: TargetDistribution, say: Wording) -> tuple[str, ...]:
    """How the target is spread over some rows, as HEADS has it."""
    return tuple(say.amount(v) for v in (spread.mean, spread.deviation, spread.min, spread.median, spread.max))


def mean(values: Sequence[float], _facts: Facts, say: Wording) -> str:
    """The mean target of a slice."""
    return say.amount(values[0])


def tiles(facts: Facts, say: Wording) -> list[Tile]:
    """The primary metric, mean errors, and what the interval holds."""
    about = {"coverage": f"{share(promised(facts), 0)} were promised"}
    return tiles_of(facts, say, (facts.problem.metric, "mae", "rmse", "coverage", "r2"), about)


def metric_note(facts: Facts) -> str:
    """What the interval is to hold."""
    return f"The prediction interval is to hold {share(promised(facts), 0)} of the rows."


def promises(facts: Facts) -> dict[str, float]:
    """Metrics that were promised to have some value."""
    return {"coverage": promised(facts)}


def evaluated_on(facts: Facts, say: Wording) -> str:
    """How the mean of the test rows differs from that of training."""
    train = say.amount(facts.split.sides["train"].mean)
    return f"their mean {say.amount(facts.spread.mean, unit=True)}; training rows had {train}"


def radius(facts: Facts) -> float:
    """Half the width of the prediction interval."""
    return facts.calibration.radius if facts.calibration.task == "regression" else 0.0


def promised(facts: Facts) -> float:
    """The share of rows that the interval is to hold."""
    return facts.calibration.coverage if facts.calibration.task == "regression" else 0.0


def months(facts: Facts, say: Wording) -> Figure:
    """The mean of the target month by month."""
    values = []
    for month, spread in facts.by_month.items():
        middle, around = spread.mean or 0.0, spread.deviation or 0.0
        values.append((month, Band(0.0, middle - around, middle, middle + around)))
    y = charts.axis(_labelled(facts, say), [end for _, band in values for end in (band.low, band.high)])
    svg = bands.months("Mean of the target by month", values, y, ("mean", "one deviation to either side"))
    note = "A model learns the numbers of the months it is shown, and meets others later."
    return Figure("months", f"{facts.problem.target.name} by month", svg, note, wide=True)


def curves(facts: Facts, say: Wording) -> list[Figure]:
    """Actual over predicted values, and the residuals with the prediction interval."""
    drawn = facts.curves
    if not drawn.residuals or not drawn.calibration:
        return []
    actual = _came(facts, say)
    note = "Bins of equal count, by prediction: the mean of the actual values. The dotted line is a perfect prediction."
    beside = (
        "Residuals (actual minus predicted): the median of each bin. Dashed, the prediction interval: it is as wide "
        "everywhere, and does not suit bins whose rows reach much further, or much less far."
    )
    return [
        Figure("forecast", "Predicted and actual values", actual, note),
        Figure("residuals", "Residuals", _residuals(facts, say), beside),
    ]


def learning_note(_facts: Facts) -> str:
    """What to mind when the two lines of the learning curve are compared."""
    return "Root mean squared error, in deviations of the target on training rows."


def _came(facts: Facts, say: Wording) -> str:
    values = [
        Band(predicted, predicted + low, observed, predicted + high)
        for (predicted, observed, _), (_, low, _, high, _) in zip(
            facts.curves.calibration, facts.curves.residuals, strict=True
        )
    ]
    x = charts.axis(f"predicted{_in(say)}", [band.at for band in values])
    y = charts.axis(f"came{_in(say)}", [end for band in values for end in (band.low, band.value, band.high)])
    ends = max(x.low, y.low), min(x.high, y.high)
    as_predicted = Series("perfect", [(end, end) for end in ends] if ends[0] < ends[1] else [])
    title = "Actual over predicted values on test rows"
    return bands.bands(title, values, x, y, ("mean", WITHIN), [("ref", as_predicted)])


def _residuals(facts: Facts, say: Wording) -> str:
    values = [Band(predicted, low, middle, high) for predicted, low, middle, high, _ in facts.curves.residuals]
    half = radius(facts)
    x = charts.axis(f"predicted{_in(say)}", [band.at for band in values])
    y = charts.axis(
        f"actual minus predicted{_in(say)}", [half, -half, *(end for b in values for end in (b.low, b.high))]
    )
    level = {height: [(x.low, height), (x.high, height)] for height in (0.0, half, -half)}
    within = f"interval: ± {say.amount(half)}"
    lines = [("ref", Series("perfect", level[0.0])), ("s2", Series(within, level[half]))]
    lines.append(("s2", Series(within, level[-half])))
    return bands.bands("Residuals on test rows, over the prediction", values, x, y, ("median", WITHIN), lines)


def _in(say: Wording) -> str:
    return f" ({say.unit})" if say.unit else ""


def _labelled(facts: Facts, say: Wording) -> str:
    return facts.problem.target.name + _in(say)

"""The teller of each task: a module that says of the page what only its task can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fullcircle.report import binary, multiclass, regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.core.target import TargetDistribution
    from fullcircle.report.components import Figure, Tile
    from fullcircle.report.facts import Facts
    from fullcircle.report.terms import Wording


class TaskText(Protocol):
    """A module that tells of one task: `binary`, `multiclass` or `regression`."""

    TEMPLATE: str
    """The section about what is done with the forecasts."""
    SECTION: str
    """What that section is called."""
    HEADS: tuple[str, ...]
    """The distribution of the target: the heads of its columns."""
    FORECAST: str
    """What a forecast is."""
    KNOWING_NOTHING: str
    """The prediction without a model."""

    def cells(self, spread: TargetDistribution, say: Wording, /) -> tuple[str, ...]:
        """How the target is spread over some rows, as HEADS has it."""

    def mean(self, values: Sequence[float], facts: Facts, say: Wording, /) -> str:
        """The mean target of a slice."""

    def tiles(self, facts: Facts, say: Wording, /) -> list[Tile]:
        """The metrics at the head of the page."""

    def metric_note(self, facts: Facts, /) -> str:
        """What is to be known of the metrics, in a sentence."""

    def promises(self, facts: Facts, /) -> dict[str, float]:
        """Metrics that were promised to have some value."""

    def evaluated_on(self, facts: Facts, say: Wording, /) -> str:
        """How the target of test rows differs from that of training rows, in half a sentence."""

    def months(self, facts: Facts, say: Wording, /) -> Figure:
        """The target by month, of which there is at least one."""

    def curves(self, facts: Facts, say: Wording, /) -> list[Figure]:
        """What there is to draw of the test rows."""

    def learning_note(self, facts: Facts, /) -> str:
        """What to mind of the learning curve."""


def task_text(task: str) -> TaskText:
    """The teller of a task."""
    tellers: dict[str, TaskText] = {"binary": binary, "multiclass": multiclass, "regression": regression}
    return tellers[task]

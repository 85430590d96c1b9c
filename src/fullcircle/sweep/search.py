"""The search: draws trials with Optuna, runs them, and keeps their outcomes. It can be interrupted and resumed.

Optuna's study is in memory, and is made again from the journal of finished trials. A trial is drawn from its number
and the trials that ended before it, so a sweep that goes on after a kill has the trials of an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.trial import FixedTrial, TrialState, create_trial

from fullcircle.base.errors import ConfigError
from fullcircle.sweep.config import SweepConfig
from fullcircle.sweep.engine import outcome_of
from fullcircle.sweep.journal import Journal
from fullcircle.sweep.space import Space
from fullcircle.sweep.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fullcircle.sweep.engine import Engine
    from fullcircle.sweep.trial import Outcome, Task

STARTUP = 8  # trials at the start that are drawn at random and never pruned
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trial that runs. `number` counts from 1."""

    number: int
    trial: optuna.Trial
    choices: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """A study with its space and configuration. `curves`: of the finished trials, step -> log loss, by number."""

    study: optuna.Study
    space: Space
    config: SweepConfig
    journal: Journal
    trials: int  # budget, trials of earlier runs included
    points: list[dict[str, Any]] = field(default_factory=list)  # of a grid
    done: dict[int, Trial] = field(default_factory=dict)
    curves: dict[int, dict[int, float]] = field(default_factory=dict)

    def finished(self) -> list[Trial]:
        """Every trial that completed, was pruned or failed, by number."""
        return [self.done[number] for number in sorted(self.done)]

    def run(
        self,
        task_of: Callable[[dict[str, Any], dict[int, float], float | None], Task],
        engine: Engine,
        on_trial: Callable[[Trial, Outcome], None],
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run trials until the budget is spent or the search is interrupted; running trials are then abandoned.

        `task_of`: choices, pruning thresholds and best value -> a task. `on_trial` is called for each trial as it ends.
        """
        deadline = None if self.config.seconds is None else time.monotonic() + self.config.seconds
        left = self.trials - len(self.done)
        pending: dict[Any, Drawn] = {}
        ended: list[tuple[Trial, Outcome]] = []
        while left > 0 or pending or ended:
            late = interrupted() or (deadline is not None and time.monotonic() >= deadline)
            while left > 0 and len(pending) < self.config.workers and not late:
                drawn = self.draw({each.number for each in pending.values()})
                pending[engine.submit(task_of(drawn.choices, self.pruning_thresholds(), self.best_value()))] = drawn
                left -= 1
            for trial_and_outcome in ended:  # while the next trials are running
                on_trial(*trial_and_outcome)
            if interrupted() or (late and not pending):
                break
            done = [(pending.pop(future), outcome_of(future)) for future in engine.wait(pending)] if pending else []
            ended = [(self.finish(drawn, outcome), outcome) for drawn, outcome in done]

    def draw(self, running: Collection[int] = ()) -> Drawn:
        """The next trial: of the lowest number that neither is in `running` nor has finished."""
        number = next(n for n in count(1) if n not in self.done and n not in running)
        self.study.sampler = _sampler(self.config, number)
        if self.points:
            self.study.enqueue_trial(self.points[number - 1])
        trial = self.study.ask()
        return Drawn(number, trial, self.space.draw(trial))

    def finish(self, drawn: Drawn, outcome: Outcome) -> Trial:
        """Keep the outcome of a trial, in the journal and in the study."""
        state = "failed" if outcome.error else "pruned" if outcome.pruned else "complete"
        trial = Trial(
            number=drawn.number,
            state=state,  # type: ignore[arg-type]  # one of STATES
            choices=drawn.choices,
            value=outcome.value if state == "complete" else None,
            deviation=outcome.deviation,
            metrics=outcome.metrics,
            seconds=round(outcome.seconds, 2),
            error=outcome.error,
        )
        record = asdict(trial) | {"params": drawn.trial.params, "curve": outcome.curve}
        self.journal.append("trial", record)
        self.study.tell(drawn.trial, trial.value, state=STATES[state])
        self._keep(trial, outcome.curve)
        return trial

    def restore(self, record: dict[str, Any]) -> None:
        """Take a trial from the journal."""
        curve = {int(step): value for step, value in record.pop("curve").items()}
        drawn = FixedTrial(record.pop("params"))
        self.space.draw(drawn)
        trial = Trial(**record)
        frozen = create_trial(
            state=STATES[trial.state], value=trial.value, params=drawn.params, distributions=drawn.distributions
        )
        self.study.add_trial(frozen)
        self._keep(trial, curve)

    def _keep(self, trial: Trial, curve: dict[int, float]) -> None:
        self.done[trial.number], self.curves[trial.number] = trial, curve

    def pruning_thresholds(self) -> dict[int, float]:
        """Step -> median log loss of the completed trials at that step (Optuna's MedianPruner); empty: no pruning."""
        complete = [self.curves[number] for number, trial in self.done.items() if trial.state == "complete"]
        if self.config.prune == "none" or len(complete) < STARTUP:
            return {}
        steps = {step for curve in complete for step in curve}
        return {step: statistics.median(curve[step] for curve in complete if step in curve) for step in steps}

    def best_value(self) -> float | None:
        """The best value so far; None if there is none."""
        values = [trial.value for trial in self.done.values() if trial.value is not None]
        return (max if self.config.direction == "maximize" else min)(values) if values else None


def open_search(config: SweepConfig, space: Space, journal: Journal, identity: dict[str, Any]) -> Search:
    """The search that `journal` has begun, or a new one. `identity`: everything that determines the value of a trial.

    Raises ConfigError if the journal has another identity: its values could not be compared.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    earlier, found = journal.records("identity"), journal.records("trial")
    if earlier and earlier[0] != digest:
        raise ConfigError(
            f"sweep {config.name} was started with another space, metric, configuration or data, and its "
            f"{len(found)} trials cannot be compared with new ones; give it another sweep.name, or start over "
            "with --fresh"
        )
    if not earlier:
        journal.append("identity", digest)
    points = space.grid() if config.sampler == "grid" else []
    study = optuna.create_study(direction=config.direction)
    search = Search(study, space, config, journal, min(config.trials, len(points) or config.trials), points)
    for record in sorted(found, key=lambda each: each["number"]):
        search.restore(record)
    return search


def _sampler(config: SweepConfig, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial, whose seed follows from the sweep's and the number of the trial."""
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if config.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=config.workers > 1)
    return optuna.samplers.RandomSampler(seed=seed)


def importance(search: Search) -> dict[str, float]:
    """Share of each swept key in the variance of the value, by Optuna's fANOVA (Hutter et al. 2014).

    Empty for few trials. Only keys that every completed trial has can be compared.
    """
    complete = [f for f in search.study.get_trials(deepcopy=False) if f.state is TrialState.COMPLETE]
    if len(complete) <= STARTUP or len({f.value for f in complete}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=search.config.seed)
    return dict(optuna.importance.get_param_importances(search.study, evaluator=evaluator))

"""The search: draws trials from Optuna, runs them, and reports their outcomes. It can be interrupted and resumed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from fullcircle.base.errors import ConfigError
from fullcircle.sweep.config import SweepConfig
from fullcircle.sweep.engine import outcome_of
from fullcircle.sweep.space import Space
from fullcircle.sweep.trials import Trial

_IDENTITY = "asked"  # attribute of a study; keeps the name that earlier journals have
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optuna.trial import FrozenTrial

    from fullcircle.sweep.engine import Engine
    from fullcircle.sweep.trial import Outcome, Task

STARTUP = 8  # trials at the start that are drawn at random and never pruned
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True, slots=True)
class Search:
    """A study with its space and configuration."""

    study: optuna.Study
    space: Space
    config: SweepConfig
    trials: int  # budget, trials of earlier runs included

    def finished(self) -> list[Trial]:
        """Every trial that completed, was pruned or failed, in order."""
        return [trial_of(frozen) for frozen in self._finished()]

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
        left = self.trials - len(self._finished())
        pending: dict[Any, optuna.Trial] = {}
        ended: list[tuple[Trial, Outcome]] = []
        while left > 0 or pending or ended:
            late = interrupted() or (deadline is not None and time.monotonic() >= deadline)
            while left > 0 and len(pending) < self.config.workers and not late:
                trial = self.study.ask()
                choices = self.space.draw(trial)
                trial.set_user_attr("choices", choices)
                pending[engine.submit(task_of(choices, self.pruning_thresholds(), self.best_value()))] = trial
                left -= 1
            for trial_and_outcome in ended:  # while the next trials are running
                on_trial(*trial_and_outcome)
            if interrupted() or (late and not pending):
                break
            done = [(pending.pop(future), outcome_of(future)) for future in engine.wait(pending)] if pending else []
            ended = [(self.finish(trial, outcome), outcome) for trial, outcome in done]

    def finish(self, trial: optuna.Trial, outcome: Outcome) -> Trial:
        """Store the outcome of a trial in the study."""
        trial.set_user_attr("outcome", _attributes(outcome))
        if outcome.error:
            frozen = self.study.tell(trial, state=TrialState.FAIL)
        elif outcome.pruned:
            frozen = self.study.tell(trial, state=TrialState.PRUNED)
        else:
            frozen = self.study.tell(trial, outcome.value)
        return trial_of(frozen)

    def pruning_thresholds(self) -> dict[int, float]:
        """Step -> median log loss of the completed trials at that step (Optuna's MedianPruner); empty: no pruning."""
        complete = [f for f in self._finished() if f.state is TrialState.COMPLETE]
        if self.config.prune == "none" or len(complete) < STARTUP:
            return {}
        curves = [f.user_attrs["outcome"]["curve"] for f in complete]
        steps = {step for curve in curves for step in curve}
        return {int(step): statistics.median(c[step] for c in curves if step in c) for step in steps}

    def best_value(self) -> float | None:
        """The best value so far; None if there is none."""
        values = [f.value for f in self._finished() if f.value is not None]
        return (max if self.config.direction == "maximize" else min)(values) if values else None

    def _finished(self) -> list[FrozenTrial]:
        found = [f for f in self.study.get_trials(deepcopy=False) if f.state in STATES and "outcome" in f.user_attrs]
        # A trial interrupted between its outcome and its end is a failure without an error: it is run again.
        return [f for f in found if f.state is not TrialState.FAIL or f.user_attrs["outcome"]["error"]]


@contextmanager
def journal_at(path: Path, *, fresh: bool) -> Iterator[Path]:
    """Lock the journal of a sweep; `fresh`: empty it. Raises ConfigError if another process has the lock.

    An incomplete last line (full disk, killed process) is removed: Optuna would append to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"the sweep of {path.parent} is already running; give this one another sweep.name"
            ) from None
        file.seek(0)
        file.truncate(0 if fresh else file.read().rfind(b"\n") + 1)
        yield path


def _attributes(outcome: Outcome) -> dict[str, Any]:
    return {
        "deviation": outcome.deviation,
        "metrics": outcome.metrics,
        "curve": {str(step): value for step, value in outcome.curve.items()},
        "seconds": round(outcome.seconds, 2),
        "error": outcome.error,
    }


def trial_of(frozen: FrozenTrial) -> Trial:
    """A finished trial of Optuna as a `Trial`; its number counts from 1."""
    attributes = frozen.user_attrs["outcome"]
    return Trial(
        number=frozen.number + 1,
        state=cast("Any", STATES[frozen.state]),
        choices=frozen.user_attrs["choices"],
        value=frozen.value if frozen.state is TrialState.COMPLETE else None,
        deviation=attributes["deviation"],
        metrics=attributes["metrics"],
        seconds=attributes["seconds"],
        error=attributes["error"],
    )


def open_search(config: SweepConfig, space: Space, journal: Path, identity: dict[str, Any]) -> Search:
    """The study in `journal`, or a new one. `identity`: everything that determines the value of a trial.

    Raises ConfigError if the study has another identity: its values could not be compared.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=config.name,
        direction=config.direction,
        load_if_exists=True,
    )
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    if study.user_attrs.get(_IDENTITY, digest) != digest:
        raise ConfigError(
            f"sweep {config.name} was started with another space, metric, configuration or data, and its "
            f"{len(study.trials)} trials cannot be compared with new ones; give it another sweep.name, or start over "
            "with --fresh"
        )
    study.set_user_attr(_IDENTITY, digest)
    points = space.grid() if config.sampler == "grid" else []
    if not study.trials:
        for point in points:
            study.enqueue_trial(point)
    for frozen in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):  # interrupted: run it again
        study.tell(frozen.number, state=TrialState.FAIL)
        study.enqueue_trial(frozen.params)
    study.sampler = _sampler(config, len(study.trials))
    return Search(study, space, config, min(config.trials, len(points) or config.trials))


def _sampler(config: SweepConfig, trials: int) -> optuna.samplers.BaseSampler:
    seed = config.seed + trials  # otherwise a resumed sweep would draw its first trials again
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

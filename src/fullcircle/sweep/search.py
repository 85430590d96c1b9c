"""The search: asks Optuna for trials, has them run, tells it what came of them. It can be interrupted and continued."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from optuna.trial import FrozenTrial

    from fullcircle.sweep.engine import Engine
    from fullcircle.sweep.trial import Outcome, Task

STARTUP = 8  # trials that are drawn at random, and never pruned, before the search knows anything
KINDS = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True, slots=True)
class Search:
    """A study and what it searches."""

    study: optuna.Study
    space: Space
    config: SweepConfig
    trials: int  # in all

    def finished(self) -> list[Trial]:
        """Every trial that came to an end of its own, in order."""
        return [trial_of(frozen) for frozen in self._told()]

    def run(
        self,
        task_of: Callable[[dict[str, Any], dict[int, float], float | None], Task],
        engine: Engine,
        on_trial: Callable[[Trial, Outcome], None],
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run trials until the budget is spent or the search is interrupted; what is running then is left.

        `task_of`: choices, rivals and bar -> a task. `on_trial` is called for each that ends, in the order they do.
        """
        deadline = None if self.config.seconds is None else time.monotonic() + self.config.seconds
        left = self.trials - len(self._told())
        pending: dict[Any, optuna.Trial] = {}
        ended: list[tuple[Trial, Outcome]] = []
        while left > 0 or pending or ended:
            late = interrupted() or (deadline is not None and time.monotonic() >= deadline)
            while left > 0 and len(pending) < self.config.workers and not late:
                trial = self.study.ask()
                choices = self.space.draw(trial)
                trial.set_user_attr("choices", choices)
                pending[engine.submit(task_of(choices, self.rivals(), self.bar()))] = trial
                left -= 1
            for one in ended:  # while the next are running
                on_trial(*one)
            if interrupted() or (late and not pending):
                break
            done = [(pending.pop(future), outcome_of(future)) for future in engine.first(pending)] if pending else []
            ended = [(self.tell(trial, outcome), outcome) for trial, outcome in done]

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> Trial:
        """Keep what came of a trial."""
        trial.set_user_attr("outcome", _attributes(outcome))
        if outcome.error:
            frozen = self.study.tell(trial, state=TrialState.FAIL)
        elif outcome.pruned:
            frozen = self.study.tell(trial, state=TrialState.PRUNED)
        else:
            frozen = self.study.tell(trial, outcome.value)
        return trial_of(frozen)

    def rivals(self) -> dict[int, float]:
        """Step -> the median log loss there of the trials that were completed (Optuna's MedianPruner)."""
        complete = [f for f in self._told() if f.state is TrialState.COMPLETE]
        if self.config.prune == "none" or len(complete) < STARTUP:
            return {}
        curves = [f.user_attrs["outcome"]["curve"] for f in complete]
        steps = {step for curve in curves for step in curve}
        return {int(step): statistics.median(c[step] for c in curves if step in c) for step in steps}

    def bar(self) -> float | None:
        """The best value so far."""
        values = [f.value for f in self._told() if f.value is not None]
        return (max if self.config.direction == "maximize" else min)(values) if values else None

    def _told(self) -> list[FrozenTrial]:
        found = [f for f in self.study.get_trials(deepcopy=False) if f.state in KINDS and "outcome" in f.user_attrs]
        # Cut off between its outcome and its end, a trial has failed without an error, and is run again.
        return [f for f in found if f.state is not TrialState.FAIL or f.user_attrs["outcome"]["error"]]


@contextmanager
def journal_at(path: Path, *, fresh: bool) -> Iterator[Path]:
    """The journal of a sweep, for this process alone; `fresh`: emptied. Raises ConfigError if another one has it.

    A line that a full disk or a kill left unfinished is dropped: Optuna would write on behind it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"the sweep of {path.parent} is running already; give this one another sweep.name"
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
    """A trial as people see it."""
    attributes = frozen.user_attrs["outcome"]
    return Trial(
        number=frozen.number + 1,
        state=cast("Any", KINDS[frozen.state]),
        choices=frozen.user_attrs["choices"],
        value=frozen.value if frozen.state is TrialState.COMPLETE else None,
        deviation=attributes["deviation"],
        metrics=attributes["metrics"],
        seconds=attributes["seconds"],
        error=attributes["error"],
    )


def begin(config: SweepConfig, space: Space, journal: Path, asked: dict[str, Any]) -> Search:
    """The study that `journal` holds, or a new one. `asked`: all that makes a trial's value what it is.

    Raises ConfigError if the study was begun with something else asked, for its values could not be compared.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name=config.name,
        direction=config.direction,
        load_if_exists=True,
    )
    identity = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    if study.user_attrs.get("asked", identity) != identity:
        raise ConfigError(
            f"sweep {config.name} was begun with another space, metric, configuration or data, and its "
            f"{len(study.trials)} trials cannot be compared with new ones; give it another sweep.name, or start over "
            "with --fresh"
        )
    study.set_user_attr("asked", identity)
    points = space.grid() if config.sampler == "grid" else []
    if not study.trials:
        for point in points:
            study.enqueue_trial(point)
    for frozen in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):  # interrupted: to be run again
        study.tell(frozen.number, state=TrialState.FAIL)
        study.enqueue_trial(frozen.params)
    study.sampler = _sampler(config, len(study.trials))
    return Search(study, space, config, min(config.trials, len(points) or config.trials))


def _sampler(config: SweepConfig, begun: int) -> optuna.samplers.BaseSampler:
    seed = config.seed + begun  # or a sweep that goes on would draw its first trials again
    if config.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP, constant_liar=config.workers > 1)
    return optuna.samplers.RandomSampler(seed=seed)


def importance(search: Search) -> dict[str, float]:
    """Share of each swept key in the variance of the value, by Optuna's fANOVA (Hutter et al. 2014); empty if few.

    Only keys that every completed trial drew can be compared.
    """
    complete = [f for f in search.study.get_trials(deepcopy=False) if f.state is TrialState.COMPLETE]
    if len(complete) <= STARTUP or len({f.value for f in complete}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=search.config.seed)
    return dict(optuna.importance.get_param_importances(search.study, evaluator=evaluator))

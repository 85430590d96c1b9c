"""A sweep from the command line to its last file: plan, search, record, report."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.config import as_yaml, load, read_params
from fullcircle.core.tables import read_columns, rounded
from fullcircle.evaluation.intervals import bootstrap, groups_of
from fullcircle.evaluation.tasks import TaskMetrics, task_metrics
from fullcircle.features.plan import Plan
from fullcircle.models import ModelConfig, model_of
from fullcircle.stages.train import Measured, goal_of, scorer_of
from fullcircle.stages.validate import ValidateConfig
from fullcircle.sweep import page, trials
from fullcircle.sweep.engine import engine_of
from fullcircle.sweep.page import Luck, Swept
from fullcircle.sweep.plan import SweepPlan, check_data, plan
from fullcircle.sweep.record import Recorder, recorder_at
from fullcircle.sweep.search import Search, begin, importance, journal_at
from fullcircle.sweep.trial import Outcome, Task

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

    from fullcircle.base.columns import Columns
    from fullcircle.sweep.engine import Engine
    from fullcircle.sweep.trials import Trial

JOURNAL, TABLE, PAGE = "journal.log", "trials.csv", "index.html"


@dataclass(frozen=True)
class Sweep:
    """A sweep under way. `models`: those of the trials that were the best when they ended."""

    planned: SweepPlan
    search: Search
    recorder: Recorder
    featurized: bool  # whether data/features is what params.yaml asks for
    models: dict[int, tuple[Plan, Measured]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return paths.SWEEPS / self.planned.config.name

    def task(self, choices: dict[str, Any], rivals: dict[int, float], bar: float | None) -> Task:
        """What a worker is told of a trial."""
        config = self.planned.config
        return Task(
            root=str(Path.cwd()),
            params=self.planned.params(choices),
            metric=config.metric,
            maximize=config.direction == "maximize",
            repeats=config.repeats,
            folds=config.folds,
            rivals=rivals,
            featurized=self.featurized,
            bar=bar,
        )

    def ended(self, trial: Trial, outcome: Outcome) -> None:
        """A trial has ended: keep its model if it is the best so far, and make it an experiment."""
        if outcome.model is not None:
            self.models[trial.number] = outcome.model
        if self.planned.config.recorded is None and trial.state != "failed":
            self.record(trial)

    def record(self, trial: Trial) -> None:
        """Make a trial an experiment."""
        config = self.planned.config
        params = as_yaml(self.planned.params(trial.choices))
        self.recorder.record(config.experiment(trial.number), trial, params, config.metric)

    def finish(self) -> list[Trial]:
        """Record what is to be recorded and is not yet, and write the table; the trials with their experiments."""
        config, found = self.planned.config, self.search.finished()
        kept = [t for t in found if t.state != "failed"]
        if config.recorded is not None:
            kept = trials.ranked(found, config.direction)[: config.recorded]
        there = self.recorder.recorded(config.name)
        for trial in kept:  # only the best, or those that an interruption left out
            if config.experiment(trial.number) not in there:
                self.record(trial)
        if config.recorded:  # those that are among the best no more
            self.recorder.remove(there - {config.experiment(t.number) for t in kept})
        there = self.recorder.recorded(config.name)
        names = {t.number: config.experiment(t.number) for t in found if config.experiment(t.number) in there}
        ranks = {t.number: rank for rank, t in enumerate(trials.ranked(found, config.direction), start=1)}
        found = [replace(t, experiment=names.get(t.number, ""), rank=ranks.get(t.number)) for t in found]
        trials.write_csv(self.folder / TABLE, found)
        return found

    def luck(self, found: list[Trial]) -> tuple[Luck, ...]:
        """What the test rows say of each trial that was the best when it ended. Nothing is chosen by it.

        The best of all gets an interval. What an earlier run of the sweep found is kept with the study.
        """
        known: dict[str, float] = dict(self.search.study.user_attrs.get("luck", {}))
        rivals = trials.running_best(found, self.planned.config.direction)
        told, interval, rows = [], None, self._test_rows() if self.models else {}
        for trial in rivals:
            if trial.number in self.models:
                predictions = self._judged(rows, self.planned.params(trial.choices), *self.models[trial.number])
                known[str(trial.number)] = rounded(self._judge.evaluate(predictions)[self._metric])
                if trial is rivals[-1]:
                    interval = self._interval(rows, predictions)
            if str(trial.number) in known and trial.value is not None:
                told.append(Luck(trial.number, trial.value, known[str(trial.number)], interval))
        self.search.study.set_user_attr("luck", known)
        return tuple(told)

    @property
    def _metric(self) -> str:
        return self.planned.config.metric.removeprefix("val_")

    @property
    def _judge(self) -> TaskMetrics:
        return task_metrics(goal_of(self.planned.base()).n_classes)

    @property
    def _judging(self) -> ValidateConfig:
        return load(ValidateConfig, "validate", self.planned.base())

    def _test_rows(self) -> Columns:
        features, _ = next(iter(self.models.values()))
        return read_columns(paths.TEST, [*dict.fromkeys([*features.inputs, "target", *self._judging.resample_by])])

    def _judged(self, rows: Columns, params: dict[str, Any], features: Plan, measured: Measured) -> Any:
        """What a scorer of the model predicts of the test rows."""
        scorer = scorer_of(measured.estimator, measured.calibration, features)
        predicted = scorer.predict({name: rows[name] for name in features.inputs}, params["train"]["threads"])
        return self._judge.predictions(predicted, rows["target"], measured.calibration, self._judging.bins)

    def _interval(self, rows: Columns, predictions: Any) -> tuple[float, float]:
        config = self._judging
        group = groups_of([rows[column] for column in config.resample_by], len(rows["target"]))
        found = bootstrap(self._judge, predictions, group, config.resamples, config.interval, config.seed)
        low, high = found[self._metric]
        return rounded(low), rounded(high)


def sweep(overrides: Sequence[str], started_dry_run: subprocess.Popen[str], *, fresh: bool) -> str:
    """Run a sweep, or go on with one; returns what to tell. Raises FullCircleError before anything is written.

    `rehearsal`: a dry run of DVC up to `featurize`, begun before this was imported.
    """
    planned = plan(overrides)
    config, recorder = planned.config, recorder_at(Path())
    model_of(load(ModelConfig, "model", planned.base()))  # its library takes seconds, and DVC is still thinking
    featurized = check_data(planned, started_dry_run)
    file = paths.SWEEPS / config.name / JOURNAL
    if not (fresh or file.exists()):
        recorder.check_unused(config.name)
    with ExitStack() as stack:
        with engine_of(planned.engine, config.workers) as engine:
            journal = stack.enter_context(journal_at(file, fresh=fresh))
            if fresh:
                recorder.remove(recorder.recorded(config.name))
            search = begin(config, planned.space, journal, _asked(planned))
            under_way = Sweep(planned, search, recorder, featurized)
            start = time.monotonic()
            with _interruptible() as interrupted:
                _run(under_way, engine, interrupted)
        found = under_way.finish()
        write_text(under_way.folder / PAGE, page.render(_swept(under_way, found, time.monotonic() - start)))
        return _told(under_way, found)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: looked at between trials, so that none is cut in two. A second one is not awaited."""
    pressed = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _run(under_way: Sweep, engine: Engine, interrupted: Callable[[], bool]) -> None:
    search = under_way.search
    with _progress(search) as bar:

        def on_trial(trial: Trial, outcome: Outcome) -> None:
            under_way.ended(trial, outcome)
            bar.update()
            bar.set_postfix_str(_standing(search))

        search.run(under_way.task, engine, on_trial, interrupted)


def _asked(planned: SweepPlan) -> dict[str, Any]:
    """All that makes a trial's value what it is: only such trials can be compared."""
    config = planned.config
    lock = read_params(paths.DVC_LOCK)["stages"]["split"]["outs"]
    base = {key: value for key, value in planned.base().items() if key != "package"}
    return {
        "metric": [config.metric, config.direction, config.repeats, config.folds],
        "space": planned.space.texts,
        "base": base,
        "rows": {out["path"]: out["md5"] for out in lock if out["path"] in (str(paths.TRAIN), str(paths.VALIDATION))},
    }


def _progress(search: Search) -> Any:
    """A bar with time left and the best value, on a terminal."""
    return tqdm(
        total=search.trials,
        initial=len(search.finished()),
        unit="trial",
        desc=search.config.name,
        disable=not sys.stderr.isatty(),
    )


def _standing(search: Search) -> str:
    best = trials.best(search.finished(), search.config.direction)
    return f"best {best.value:g} ({search.config.experiment(best.number)})" if best else "no trial completed yet"


def _swept(under_way: Sweep, found: list[Trial], seconds: float) -> Swept:
    config, space = under_way.planned.config, under_way.planned.space
    best = trials.best(found, config.direction)
    return Swept(
        name=config.name,
        metric=config.metric,
        direction=config.direction,
        sampler=config.sampler,
        seed=config.seed,
        workers=config.workers,
        repeats=config.repeats,
        seconds=seconds,
        space=space.texts,
        log=space.log,
        trials=tuple(found),
        importance=importance(under_way.search),
        luck=under_way.luck(found),
        adopt_command=f"fullcircle adopt {config.experiment(best.number)}" if best else "",
    )


def _told(under_way: Sweep, found: list[Trial]) -> str:
    config, counts = under_way.planned.config, [t.state for t in found]
    lines = [
        f"{len(found)} of {under_way.search.trials} trials: {counts.count('complete')} complete, "
        f"{counts.count('pruned')} pruned, {counts.count('failed')} failed"
    ]
    if best := trials.best(found, config.direction):
        name = config.experiment(best.number)
        spread = f" ± {best.deviation:g}" if best.deviation is not None else ""
        lines.append(f"best: {name}, {config.metric} {best.value:g}{spread}; keep it with `fullcircle adopt {name}`")
    failed = [t for t in found if t.state == "failed"]
    lines += [f"trial {t.number} failed: {t.error.splitlines()[0]}" for t in failed[:3]]
    if len(found) < under_way.search.trials:
        lines.append("the same command goes on where this one stopped")
    lines.append(f"see {under_way.folder / PAGE}, {under_way.folder / TABLE} and `fullcircle show`")
    return "\n".join(lines)

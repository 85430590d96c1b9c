"""Run a sweep: plan, search, record, report."""

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
from fullcircle.sweep.journal import journal_at
from fullcircle.sweep.plan import SweepPlan, check_data, plan
from fullcircle.sweep.record import Recorder, recorder_at
from fullcircle.sweep.result import Incumbent, SweepResult
from fullcircle.sweep.search import Search, importance, open_search
from fullcircle.sweep.trial import Outcome, Task

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence

    from fullcircle.base.columns import Columns
    from fullcircle.sweep.engine import Engine
    from fullcircle.sweep.trials import Trial

JOURNAL, TABLE, PAGE = "journal.jsonl", "trials.csv", "index.html"


@dataclass(frozen=True)
class Sweep:
    """A running sweep. `models`: trial number -> model, of each trial that was the best when it ended."""

    planned: SweepPlan
    search: Search
    recorder: Recorder
    featurized: bool  # whether data/features is up to date with params.yaml
    models: dict[int, tuple[Plan, Measured]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return paths.SWEEPS / self.planned.config.name

    def task(self, choices: dict[str, Any], thresholds: dict[int, float], best: float | None) -> Task:
        """The task of a trial, for a worker. `thresholds`: for pruning; `best`: the best value so far."""
        config = self.planned.config
        return Task(
            root=str(Path.cwd()),
            params=self.planned.params(choices),
            metric=config.metric,
            maximize=config.direction == "maximize",
            repeats=config.repeats,
            folds=config.folds,
            thresholds=thresholds,
            featurized=self.featurized,
            best=best,
        )

    def finish_trial(self, trial: Trial, outcome: Outcome) -> None:
        """Keep the model of a trial if it is the best so far, and record the trial."""
        if outcome.model is not None:
            self.models[trial.number] = outcome.model
        if self.planned.config.recorded is None and trial.state != "failed":
            self.record(trial)

    def record(self, trial: Trial) -> None:
        """Record a trial as an experiment."""
        config = self.planned.config
        params = as_yaml(self.planned.params(trial.choices))
        self.recorder.record(config.experiment(trial.number), trial, params, config.metric)

    def finish(self) -> list[Trial]:
        """Record the remaining trials and write the table; returns the trials with experiment and rank."""
        config, found = self.planned.config, self.search.finished()
        kept = [t for t in found if t.state != "failed"]
        if config.recorded is not None:
            kept = trials.ranked(found, config.direction)[: config.recorded]
        recorded = self.recorder.recorded(config.name)
        for trial in kept:  # only the best, or those not recorded before an interrupt
            if config.experiment(trial.number) not in recorded:
                self.record(trial)
        if config.recorded:  # those that are no longer among the best
            self.recorder.remove(recorded - {config.experiment(t.number) for t in kept})
        recorded = self.recorder.recorded(config.name)
        names = {t.number: config.experiment(t.number) for t in found if config.experiment(t.number) in recorded}
        ranks = {t.number: rank for rank, t in enumerate(trials.ranked(found, config.direction), start=1)}
        found = [replace(t, experiment=names.get(t.number, ""), rank=ranks.get(t.number)) for t in found]
        trials.write_csv(self.folder / TABLE, found)
        return found

    def incumbents(self, found: list[Trial]) -> tuple[Incumbent, ...]:
        """Each trial that was the best when it ended, with its score on test rows, which select nothing.

        Only the last one gets an interval. Test scores of earlier runs of the sweep are in the journal.
        """
        earlier = self.search.journal.records("test_scores")
        scores: dict[str, float] = dict(earlier[-1]) if earlier else {}
        best_so_far = trials.running_best(found, self.planned.config.direction)
        incumbents, interval, rows = [], None, self._test_rows() if self.models else {}
        for trial in best_so_far:
            if trial.number in self.models:
                predictions = self._predictions(rows, self.planned.params(trial.choices), *self.models[trial.number])
                scores[str(trial.number)] = rounded(self._task_metrics.evaluate(predictions)[self._metric])
                if trial is best_so_far[-1]:
                    interval = self._interval(rows, predictions)
            if str(trial.number) in scores and trial.value is not None:
                incumbents.append(Incumbent(trial.number, trial.value, scores[str(trial.number)], interval))
        if scores != (earlier[-1] if earlier else {}):
            self.search.journal.append("test_scores", scores)
        return tuple(incumbents)

    @property
    def _metric(self) -> str:
        return self.planned.config.metric.removeprefix("val_")

    @property
    def _task_metrics(self) -> TaskMetrics:
        return task_metrics(goal_of(self.planned.base()).n_classes)

    @property
    def _validate_config(self) -> ValidateConfig:
        return load(ValidateConfig, "validate", self.planned.base())

    def _test_rows(self) -> Columns:
        features, _ = next(iter(self.models.values()))
        return read_columns(
            paths.TEST, [*dict.fromkeys([*features.inputs, "target", *self._validate_config.resample_by])]
        )

    def _predictions(self, rows: Columns, params: dict[str, Any], features: Plan, measured: Measured) -> Any:
        """Predictions of the model's scorer for the test rows."""
        scorer = scorer_of(measured.estimator, measured.calibration, features)
        predicted = scorer.predict({name: rows[name] for name in features.inputs}, params["train"]["threads"])
        return self._task_metrics.predictions(
            predicted, rows["target"], measured.calibration, self._validate_config.bins
        )

    def _interval(self, rows: Columns, predictions: Any) -> tuple[float, float]:
        config = self._validate_config
        group = groups_of([rows[column] for column in config.resample_by], len(rows["target"]))
        found = bootstrap(self._task_metrics, predictions, group, config.resamples, config.interval, config.seed)
        low, high = found[self._metric]
        return rounded(low), rounded(high)


def sweep(overrides: Sequence[str], dry_run: subprocess.Popen[str], *, fresh: bool) -> str:
    """Run a sweep, or resume one; returns a summary. Raises FullCircleError before anything is written.

    `dry_run`: of DVC up to `featurize`, started before this module was imported.
    """
    planned = plan(overrides)
    if paths.DVC_LOCK.is_file():
        read_params(paths.DVC_LOCK)  # a damaged one is an error of its own, before that of an uncommitted file
    config, recorder = planned.config, recorder_at(Path())
    model_of(load(ModelConfig, "model", planned.base()))  # imports its library, which takes seconds, while DVC runs
    featurized = check_data(planned, dry_run)
    file = paths.SWEEPS / config.name / JOURNAL
    if not (fresh or file.exists()):
        recorder.check_unused(config.name)
    with ExitStack() as stack:
        with engine_of(planned.engine, config.workers) as engine:
            journal = stack.enter_context(journal_at(file, fresh=fresh))
            if fresh:
                recorder.remove(recorder.recorded(config.name))
            search = open_search(config, planned.space, journal, _identity(planned))
            running = Sweep(planned, search, recorder, featurized)
            start = time.monotonic()
            with _interruptible() as interrupted:
                _run(running, engine, interrupted)
        found = running.finish()
        write_text(running.folder / PAGE, page.render(_result(running, found, time.monotonic() - start)))
        return _summary(running, found)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """A function that returns whether Ctrl-C was pressed, to check between trials; a second Ctrl-C ends at once."""
    pressed = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _run(running: Sweep, engine: Engine, interrupted: Callable[[], bool]) -> None:
    search = running.search
    with _progress(search) as bar:

        def on_trial(trial: Trial, outcome: Outcome) -> None:
            running.finish_trial(trial, outcome)
            bar.update()
            bar.set_postfix_str(_best_so_far(search))

        search.run(running.task, engine, on_trial, interrupted)


def _identity(planned: SweepPlan) -> dict[str, Any]:
    """Everything that determines the value of a trial: only trials with the same identity can be compared."""
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
    """A progress bar with the remaining time and the best value; only on a terminal."""
    return tqdm(
        total=search.trials,
        initial=len(search.finished()),
        unit="trial",
        desc=search.config.name,
        disable=not sys.stderr.isatty(),
    )


def _best_so_far(search: Search) -> str:
    best = trials.best(search.finished(), search.config.direction)
    return f"best {best.value:g} ({search.config.experiment(best.number)})" if best else "no trial completed yet"


def _result(running: Sweep, found: list[Trial], seconds: float) -> SweepResult:
    config, space = running.planned.config, running.planned.space
    best = trials.best(found, config.direction)
    return SweepResult(
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
        importance=importance(running.search),
        incumbents=running.incumbents(found),
        adopt_command=f"fullcircle adopt {config.experiment(best.number)}" if best else "",
    )


def _summary(running: Sweep, found: list[Trial]) -> str:
    config, counts = running.planned.config, [t.state for t in found]
    lines = [
        f"{len(found)} of {running.search.trials} trials: {counts.count('complete')} complete, "
        f"{counts.count('pruned')} pruned, {counts.count('failed')} failed"
    ]
    if best := trials.best(found, config.direction):
        name = config.experiment(best.number)
        spread = f" ± {best.deviation:g}" if best.deviation is not None else ""
        lines.append(f"best: {name}, {config.metric} {best.value:g}{spread}; keep it with `fullcircle adopt {name}`")
        if running.planned.base()["model"]["name"] == "ensemble":
            lines.append("`fullcircle adopt best:5` makes an ensemble of the best five")
    failed = [t for t in found if t.state == "failed"]
    lines += [f"trial {t.number} failed: {t.error.splitlines()[0]}" for t in failed[:3]]
    if len(found) < running.search.trials:
        lines.append("run the same command again to resume")
    lines.append(f"see {running.folder / PAGE}, {running.folder / TABLE} and `fullcircle show`")
    return "\n".join(lines)

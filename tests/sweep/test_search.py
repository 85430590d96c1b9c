from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.sweep.config import SweepConfig
from fullcircle.sweep.journal import Journal, journal_at
from fullcircle.sweep.search import STARTUP, Search, importance, open_search
from fullcircle.sweep.space import parse
from fullcircle.sweep.trial import Outcome, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from fullcircle.sweep.trials import Trial

SPACE = {"model.a": "interval(0, 1)", "model.b": "range(1, 6)"}
CONFIG = SweepConfig(
    "s", "val_auc", 12, None, "tpe", "median", 0, 1, 5, 1, "all", SPACE,
)  # fmt: skip


def value_of(choices: dict[str, Any]) -> float:
    return float(-((choices["model.a"] - 0.3) ** 2) - abs(choices["model.b"] - 3) / 10)


def evaluate(task: Task) -> Outcome:
    choices = task.params
    if choices["model.b"] == 5:
        return Outcome(error="ValueError: five is not allowed")
    return Outcome(value_of(choices), metrics={"val_auc": value_of(choices)}, curve={1: -value_of(choices)})


class Immediate:
    """An engine that runs each task when it is submitted."""

    def __init__(self, run: Callable[[Task], Outcome] = evaluate) -> None:
        self.run = run

    def submit(self, task: Task) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        try:
            future.set_result(self.run(task))
        except Exception as error:
            future.set_exception(error)
        return future

    def wait(self, futures: Collection[Any]) -> list[Any]:
        return list(futures)


def task_of(choices: dict[str, Any], thresholds: dict[int, float], best: float | None) -> Task:
    return Task("", choices, "val_auc", True, 1, 5, thresholds, best=best)


def searched(journal: Path, config: SweepConfig = CONFIG, engine: Any = None) -> list[Trial]:
    search = opened(journal, config)
    search.run(task_of, engine or Immediate(), lambda _trial, _outcome: None)
    return search.finished()


def opened(journal: Path, config: SweepConfig = CONFIG, data: str = "") -> Search:
    return open_search(config, parse(config.space), Journal(journal), {"data": data})


def test_the_budget_is_spent_and_every_trial_returned(tmp_path: Path) -> None:
    found = searched(tmp_path / "j")
    assert [t.number for t in found] == list(range(1, 13))
    assert all(t.value == value_of(t.choices) for t in found if t.state == "complete")


def test_a_failed_trial_keeps_its_error_and_the_search_continues(tmp_path: Path) -> None:
    found = searched(tmp_path / "j", replace(CONFIG, trials=30, sampler="random"))
    failed = [t for t in found if t.state == "failed"]
    assert len(found) == 30
    assert failed
    assert {t.error for t in failed} == {"ValueError: five is not allowed"}
    assert {t.choices["model.b"] for t in failed} == {5}


def test_a_lost_worker_fails_only_its_trial(tmp_path: Path) -> None:
    def killed(task: Task) -> Outcome:
        raise RuntimeError("KilledWorker")

    found = searched(tmp_path / "j", replace(CONFIG, trials=3), Immediate(killed))
    assert [t.error for t in found] == ["RuntimeError: KilledWorker"] * 3


def test_the_same_seed_with_one_worker_gives_the_same_trials(tmp_path: Path) -> None:
    once, again = searched(tmp_path / "a"), searched(tmp_path / "b")
    assert [t.choices for t in once] == [t.choices for t in again]
    other = searched(tmp_path / "c", replace(CONFIG, seed=1))
    assert [t.choices for t in once] != [t.choices for t in other]


def test_the_search_is_better_than_its_random_start(tmp_path: Path) -> None:
    found = [t.value for t in searched(tmp_path / "j", replace(CONFIG, trials=60)) if t.value is not None]
    assert max(found[STARTUP:]) > max(found[:STARTUP])


@pytest.mark.parametrize("killed_at", [1, 6, STARTUP + 3])
@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_a_sweep_that_goes_on_after_a_kill_has_the_trials_of_an_uninterrupted_one(
    tmp_path: Path, sampler: Any, killed_at: int
) -> None:
    space = {"model.a": "choice(0.1, 0.2, 0.3)", "model.b": "range(1, 6)"} if sampler == "grid" else SPACE
    config = replace(CONFIG, sampler=sampler, trials=15, space=space)
    started = 0

    def killed(task: Task) -> Outcome:
        nonlocal started
        started += 1
        if started == killed_at:
            raise KeyboardInterrupt
        return evaluate(task)

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "j", config, Immediate(killed))
    assert len(opened(tmp_path / "j", config).finished()) == killed_at - 1
    uninterrupted = [replace(t, seconds=0) for t in searched(tmp_path / "other", config)]
    assert [replace(t, seconds=0) for t in searched(tmp_path / "j", config)] == uninterrupted


def test_a_trial_that_was_running_beside_finished_ones_is_run_again(tmp_path: Path) -> None:
    search = opened(tmp_path / "j")
    first = search.draw()
    second = search.draw({first.number})
    search.finish(second, Outcome(0.5))
    assert [t.number for t in opened(tmp_path / "j").finished()] == [2]
    again = opened(tmp_path / "j").draw()
    assert (again.number, again.choices) == (1, first.choices)


def test_an_interrupted_search_keeps_finished_trials(tmp_path: Path) -> None:
    search, ended = opened(tmp_path / "j"), list[int]()
    search.run(task_of, Immediate(), lambda trial, _outcome: ended.append(trial.number), lambda: len(ended) >= 4)
    assert ended == [t.number for t in search.finished()]
    assert 4 <= len(ended) < 12
    assert len(searched(tmp_path / "j")) == 12


def test_the_budget_can_be_raised_later(tmp_path: Path) -> None:
    few = searched(tmp_path / "j", replace(CONFIG, trials=4))
    more = searched(tmp_path / "j", replace(CONFIG, trials=9))
    assert more[:4] == few
    assert len(more) == 9


def test_a_study_with_another_identity_is_refused(tmp_path: Path) -> None:
    searched(tmp_path / "j")
    with pytest.raises(ConfigError, match=r"12 trials cannot be compared with new ones.*--fresh"):
        opened(tmp_path / "j", data="another")


def test_a_time_limit_stops_the_search(tmp_path: Path) -> None:
    found = searched(tmp_path / "j", replace(CONFIG, seconds=1e-9))
    assert found == []


def test_a_grid_is_searched_completely_and_once(tmp_path: Path) -> None:
    config = replace(
        CONFIG, sampler="grid", trials=100, space={"model.a": "choice(0.1, 0.2)", "model.b": "range(1, 4)"}
    )
    found = searched(tmp_path / "j", config)
    assert [tuple(t.choices.values()) for t in found] == [(a, b) for a in (0.1, 0.2) for b in (1, 2, 3)]


def test_trials_run_in_parallel(tmp_path: Path) -> None:
    import concurrent.futures
    import threading

    barrier = threading.Barrier(3, timeout=10)

    class Pool:
        def __init__(self) -> None:
            self.pool = ThreadPoolExecutor(3)

        def submit(self, task: Task) -> Future[Outcome]:
            def run() -> Outcome:
                barrier.wait()
                return evaluate(task)

            return self.pool.submit(run)

        def wait(self, futures: Collection[Any]) -> list[Any]:
            return list(concurrent.futures.wait(futures).done)

    assert len(searched(tmp_path / "j", replace(CONFIG, workers=3, trials=6), Pool())) == 6


@pytest.mark.parametrize("seed", range(5))
def test_pruning_equals_optunas_median_pruner(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    curves = [{step: random.random() for step in range(1, random.integers(4, 10))} for _ in range(STARTUP + 3)]
    search = opened(tmp_path / "j", replace(CONFIG, metric="val_logloss"))
    theirs = optuna.create_study(pruner=optuna.pruners.MedianPruner(STARTUP, 0))
    for curve in curves:
        search.finish(search.draw(), Outcome(1.0, curve=curve))
        other = theirs.ask()
        for step, value in curve.items():
            other.report(value, step)
        theirs.tell(other, 1.0)
    thresholds, trial, best = search.pruning_thresholds(), theirs.ask(), math.inf
    for step in range(1, 9):
        value = random.random()
        best = min(best, value)
        trial.report(value, step)
        assert (best > thresholds.get(step, math.inf)) == trial.should_prune()


def test_nothing_is_pruned_at_the_start_or_if_turned_off(tmp_path: Path) -> None:
    few = opened(
        tmp_path / "a", replace(CONFIG, trials=STARTUP - 1, space={"model.a": "interval(0, 1)", "model.b": "1,2"})
    )
    few.run(task_of, Immediate(), lambda _trial, _outcome: None)
    assert few.pruning_thresholds() == {}
    never = opened(tmp_path / "b", replace(CONFIG, prune="none"))
    never.run(task_of, Immediate(), lambda _trial, _outcome: None)
    assert never.pruning_thresholds() == {}


def test_importance_ranks_keys_by_their_effect(tmp_path: Path) -> None:
    config = replace(CONFIG, trials=40, sampler="random", space=SPACE | {"model.c": "interval(0, 1)"})
    search = opened(tmp_path / "j", config)
    search.run(task_of, Immediate(), lambda _trial, _outcome: None)
    shares = importance(search)
    assert shares["model.a"] > shares["model.c"]
    assert sum(shares.values()) == pytest.approx(1)


def test_there_is_no_importance_for_few_trials(tmp_path: Path) -> None:
    search = opened(tmp_path / "j", replace(CONFIG, trials=3))
    search.run(task_of, Immediate(), lambda _trial, _outcome: None)
    assert importance(search) == {}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"trials": 0}, "trials 0 must be at least 1"),
        ({"workers": 0}, "workers 0 must be at least 1"),
        ({"seconds": -1}, "seconds -1 must be above 0"),
        ({"record": "some"}, "record 'some' is not one of"),
        ({"name": "A b"}, "must be lower-case letters"),
    ],
)
def test_a_wrong_sweep_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **changed)


def test_record_is_parsed_as_a_number() -> None:
    assert [replace(CONFIG, record=r).recorded for r in ("all", "none", "best 10")] == [None, 0, 10]


def test_an_incomplete_last_line_of_the_journal_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "s" / "j"
    with journal_at(path, fresh=False):
        before = searched(path, replace(CONFIG, trials=4))
    with path.open("ab") as file:
        file.write(b'{"trial": {"numb')  # as a full disk leaves it
    with journal_at(path, fresh=False):
        assert searched(path, replace(CONFIG, trials=7))[:4] == before
    assert len(opened(path).finished()) == 7


def test_a_damaged_journal_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"identity": "a"}\n{"trial": \n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"j is damaged: .*--fresh"):
        opened(tmp_path / "j")


def test_a_link_left_in_the_place_of_a_lock_does_not_stop_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "j.lock").symlink_to("j")  # dangling: its target is relative
    with journal_at(tmp_path / "j", fresh=False):
        assert len(searched(tmp_path / "j", replace(CONFIG, trials=3))) == 3


def test_a_fresh_sweep_has_no_trials(tmp_path: Path) -> None:
    searched(tmp_path / "j", replace(CONFIG, trials=4))
    with journal_at(tmp_path / "j", fresh=True):
        assert opened(tmp_path / "j", data="another").finished() == []


def test_a_running_sweep_is_locked(tmp_path: Path) -> None:
    with (
        journal_at(tmp_path / "s" / "j", fresh=False),
        pytest.raises(ConfigError, match="is already running"),
        journal_at(tmp_path / "s" / "j", fresh=True),
    ):
        pass

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
from fullcircle.sweep.search import STARTUP, Search, begin, importance, journal_at
from fullcircle.sweep.space import parse
from fullcircle.sweep.trial import Outcome, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from fullcircle.sweep.trials import Trial

SPACE = {"model.a": "interval(0, 1)", "model.b": "range(1, 6)"}
CONFIG = SweepConfig(
    "s", "val_auc", "maximize", 12, None, "tpe", "median", 0, 1, 5, 1, "all", SPACE,
)  # fmt: skip


def value_of(choices: dict[str, Any]) -> float:
    return float(-((choices["model.a"] - 0.3) ** 2) - abs(choices["model.b"] - 3) / 10)


def evaluate(task: Task) -> Outcome:
    choices = task.params
    if choices["model.b"] == 5:
        return Outcome(error="ValueError: five is right out")
    return Outcome(value_of(choices), metrics={"val_auc": value_of(choices)}, curve={1: -value_of(choices)})


class Now:
    """An engine that runs a task when it is asked for one."""

    def __init__(self, run: Callable[[Task], Outcome] = evaluate) -> None:
        self.run = run

    def submit(self, task: Task) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        try:
            future.set_result(self.run(task))
        except Exception as error:
            future.set_exception(error)
        return future

    def first(self, futures: Collection[Any]) -> list[Any]:
        return list(futures)


def task_of(choices: dict[str, Any], rivals: dict[int, float], bar: float | None) -> Task:
    return Task("", choices, "val_auc", True, 1, 5, rivals, bar=bar)


def searched(journal: Path, config: SweepConfig = CONFIG, engine: Any = None) -> list[Trial]:
    search = opened(journal, config)
    search.run(task_of, engine or Now(), lambda _trial, _outcome: None)
    return search.finished()


def opened(journal: Path, config: SweepConfig = CONFIG, asked: str = "") -> Search:
    return begin(config, parse(config.space), journal, {"asked": asked})


def test_a_budget_is_kept_and_every_trial_told(tmp_path: Path) -> None:
    found = searched(tmp_path / "j")
    assert [t.number for t in found] == list(range(1, 13))
    assert all(t.value == value_of(t.choices) for t in found if t.state == "complete")


def test_a_trial_that_fails_is_kept_with_its_error_and_the_search_goes_on(tmp_path: Path) -> None:
    found = searched(tmp_path / "j", replace(CONFIG, trials=30, sampler="random"))
    failed = [t for t in found if t.state == "failed"]
    assert len(found) == 30
    assert failed
    assert {t.error for t in failed} == {"ValueError: five is right out"}
    assert {t.choices["model.b"] for t in failed} == {5}


def test_an_engine_that_loses_its_worker_fails_the_trial_alone(tmp_path: Path) -> None:
    def killed(task: Task) -> Outcome:
        raise RuntimeError("KilledWorker")

    found = searched(tmp_path / "j", replace(CONFIG, trials=3), Now(killed))
    assert [t.error for t in found] == ["RuntimeError: KilledWorker"] * 3


def test_same_seed_and_one_worker_give_the_same_trials(tmp_path: Path) -> None:
    once, again = searched(tmp_path / "a"), searched(tmp_path / "b")
    assert [t.choices for t in once] == [t.choices for t in again]
    other = searched(tmp_path / "c", replace(CONFIG, seed=1))
    assert [t.choices for t in once] != [t.choices for t in other]


def test_the_search_does_better_than_its_first_draws(tmp_path: Path) -> None:
    found = [t.value for t in searched(tmp_path / "j", replace(CONFIG, trials=60)) if t.value is not None]
    assert max(found[STARTUP:]) > max(found[:STARTUP])


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    count = 0

    def interrupted(task: Task) -> Outcome:
        nonlocal count
        count += 1
        if count == 6:
            raise KeyboardInterrupt
        return evaluate(task)

    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "j", engine=Now(interrupted))
    before = opened(tmp_path / "j").finished()
    assert len(before) == 5
    lost = opened(tmp_path / "j").study.get_trials(states=(optuna.trial.TrialState.WAITING,))
    found = searched(tmp_path / "j")
    assert found[:5] == before
    assert len(found) == 12
    assert len({tuple(t.choices.items()) for t in found}) == 12, "a sweep that goes on draws no trial twice"
    assert found[5].choices["model.b"] == lost[0].system_attrs["fixed_params"]["model.b"], "what was lost is run again"


def test_a_search_that_is_told_to_stop_keeps_what_has_ended(tmp_path: Path) -> None:
    search, told = opened(tmp_path / "j"), list[int]()
    search.run(task_of, Now(), lambda trial, _outcome: told.append(trial.number), lambda: len(told) >= 4)
    assert told == [t.number for t in search.finished()]
    assert 4 <= len(told) < 12
    assert len(searched(tmp_path / "j")) == 12


def test_more_trials_may_be_asked_for_later(tmp_path: Path) -> None:
    few = searched(tmp_path / "j", replace(CONFIG, trials=4))
    more = searched(tmp_path / "j", replace(CONFIG, trials=9))
    assert more[:4] == few
    assert len(more) == 9


def test_a_study_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    searched(tmp_path / "j")
    with pytest.raises(ConfigError, match=r"12 trials cannot be compared with new ones.*--fresh"):
        opened(tmp_path / "j", asked="another")


def test_a_limit_of_time_stops_the_search(tmp_path: Path) -> None:
    found = searched(tmp_path / "j", replace(CONFIG, seconds=1e-9))
    assert found == []


def test_a_grid_is_searched_to_its_end_and_no_further(tmp_path: Path) -> None:
    config = replace(
        CONFIG, sampler="grid", trials=100, space={"model.a": "choice(0.1, 0.2)", "model.b": "range(1, 4)"}
    )
    found = searched(tmp_path / "j", config)
    assert [tuple(t.choices.values()) for t in found] == [(a, b) for a in (0.1, 0.2) for b in (1, 2, 3)]


def test_trials_run_parallel_map(tmp_path: Path) -> None:
    import concurrent.futures
    import threading

    meeting = threading.Barrier(3, timeout=10)

    class Pool:
        def __init__(self) -> None:
            self.pool = ThreadPoolExecutor(3)

        def submit(self, task: Task) -> Future[Outcome]:
            def run() -> Outcome:
                meeting.wait()
                return evaluate(task)

            return self.pool.submit(run)

        def first(self, futures: Collection[Any]) -> list[Any]:
            return list(concurrent.futures.wait(futures).done)

    assert len(searched(tmp_path / "j", replace(CONFIG, workers=3, trials=6), Pool())) == 6


@pytest.mark.parametrize("seed", range(5))
def test_rivals_prune_as_optunas_median_pruner_does(tmp_path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    curves = [{step: chance.random() for step in range(1, chance.integers(4, 10))} for _ in range(STARTUP + 3)]
    search = opened(tmp_path / "j", replace(CONFIG, direction="minimize"))
    theirs = optuna.create_study(pruner=optuna.pruners.MedianPruner(STARTUP, 0))
    for curve in curves:
        trial = search.study.ask()
        trial.set_user_attr("choices", search.space.draw(trial))
        search.tell(trial, Outcome(1.0, curve=curve))
        other = theirs.ask()
        for step, value in curve.items():
            other.report(value, step)
        theirs.tell(other, 1.0)
    rivals, trial, best = search.rivals(), theirs.ask(), math.inf
    for step in range(1, 9):
        value = chance.random()
        best = min(best, value)
        trial.report(value, step)
        assert (best > rivals.get(step, math.inf)) == trial.should_prune()


def test_nothing_is_pruned_before_enough_is_known_or_when_it_is_turned_off(tmp_path: Path) -> None:
    few = opened(
        tmp_path / "a", replace(CONFIG, trials=STARTUP - 1, space={"model.a": "interval(0, 1)", "model.b": "1,2"})
    )
    few.run(task_of, Now(), lambda _trial, _outcome: None)
    assert few.rivals() == {}
    never = opened(tmp_path / "b", replace(CONFIG, prune="none"))
    never.run(task_of, Now(), lambda _trial, _outcome: None)
    assert never.rivals() == {}


def test_importance_names_what_moves_the_value(tmp_path: Path) -> None:
    config = replace(CONFIG, trials=40, sampler="random", space=SPACE | {"model.c": "interval(0, 1)"})
    search = opened(tmp_path / "j", config)
    search.run(task_of, Now(), lambda _trial, _outcome: None)
    shares = importance(search)
    assert shares["model.a"] > shares["model.c"]
    assert sum(shares.values()) == pytest.approx(1)


def test_importance_of_a_few_trials_is_not_told(tmp_path: Path) -> None:
    search = opened(tmp_path / "j", replace(CONFIG, trials=3))
    search.run(task_of, Now(), lambda _trial, _outcome: None)
    assert importance(search) == {}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"trials": 0}, "trials 0 must be at least 1"),
        ({"workers": 0}, "workers 0 must be at least 1"),
        ({"seconds": -1}, "seconds -1 must be above 0"),
        ({"record": "some"}, "record 'some' is not one of"),
        ({"name": "A b"}, "must be small letters"),
    ],
)
def test_a_wrong_sweep_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(CONFIG, **changed)


def test_record_says_how_many() -> None:
    assert [replace(CONFIG, record=r).recorded for r in ("all", "none", "best 10")] == [None, 0, 10]


def test_a_line_that_was_cut_short_does_not_spoil_the_journal(tmp_path: Path) -> None:
    with journal_at(tmp_path / "s" / "j", fresh=False) as journal:
        before = searched(journal, replace(CONFIG, trials=4))
    with journal.open("ab") as file:
        file.write(b'{"op_code": 8, "trial_')  # as a full disk leaves it
    with journal_at(journal, fresh=False):
        assert searched(journal, replace(CONFIG, trials=7))[:4] == before
    assert len(opened(journal).finished()) == 7


def test_a_sweep_that_starts_over_forgets_its_trials(tmp_path: Path) -> None:
    searched(tmp_path / "j", replace(CONFIG, trials=4))
    with journal_at(tmp_path / "j", fresh=True) as journal:
        assert opened(journal, asked="another").finished() == []


def test_a_sweep_that_is_running_is_not_run_twice(tmp_path: Path) -> None:
    with (
        journal_at(tmp_path / "s" / "j", fresh=False),
        pytest.raises(ConfigError, match="is running already"),
        journal_at(tmp_path / "s" / "j", fresh=True),
    ):
        pass


def test_a_trial_cut_off_before_it_was_told_is_run_again(tmp_path: Path) -> None:
    search = opened(tmp_path / "j", replace(CONFIG, trials=2))
    trial = search.study.ask()
    trial.set_user_attr("choices", search.space.draw(trial))
    trial.set_user_attr("outcome", {"deviation": None, "metrics": {}, "curve": {}, "seconds": 1.0, "error": ""})
    found = searched(tmp_path / "j", replace(CONFIG, trials=2, sampler="random", seed=3))
    assert [t.number for t in found] == [2, 3]
    assert found[0].choices == trial.user_attrs["choices"]

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from fullcircle.sweep.record import Recorder, RecordError, recorder_at
from fullcircle.sweep.trials import Trial

if TYPE_CHECKING:
    from pathlib import Path

DONE = Trial(7, "complete", {"model.max_depth": 4}, 0.7312345, 0.001, {"val_auc": 0.7312345, "rounds": 12})
PRUNED = Trial(8, "pruned", {"model.max_depth": 9})


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the workspace, including git's index and branches."""
    kept = [path for path in folder.rglob("*") if path.is_file() and "objects" not in path.parts]
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in kept if "refs/exps" not in str(path.as_posix())
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit and the outputs of its run."""
    for name in ("params.yaml", "metrics/train.json", "metrics/test.json", "reports/train/report.json", "src/code.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("baseline\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "developer")
    git(tmp_path, "config", "user.email", "developer@localhost")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "baseline")
    return tmp_path


def test_a_trial_becomes_a_commit_on_the_baseline_without_a_branch(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    recorder_at(repository).record("s-007", DONE, "model: {}\n", "val_auc")
    ref = f"refs/exps/{head[:2]}/{head[2:]}/s-007"
    assert git(repository, "rev-parse", f"{ref}^") == head
    assert git(repository, "show", f"{ref}:params.yaml") == "model: {}"
    assert json.loads(git(repository, "show", f"{ref}:metrics/train.json")) == {"val_auc": 0.731235, "rounds": 12}
    state = json.loads(git(repository, "show", f"{ref}:metrics/sweep.json"))
    assert state == {"trial": 7, "state": "complete", "value": 0.731235, "deviation": 0.001}
    assert git(repository, "branch", "--contains", ref) == ""


def test_outputs_of_later_stages_are_not_part_of_an_experiment(repository: Path) -> None:
    recorder_at(repository).record("s-008", PRUNED, "model: {}\n", "val_auc")
    (ref,) = git(repository, "for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    files = git(repository, "ls-tree", "-r", "--name-only", ref).splitlines()
    assert "reports/train/report.json" not in files
    assert "src/code.py" in files
    assert git(repository, "show", f"{ref}:metrics/test.json") == "{}"
    assert git(repository, "show", f"{ref}:metrics/train.json") == "{}", (
        "a pruned trial has no metrics of a complete fit"
    )
    assert json.loads(git(repository, "show", f"{ref}:metrics/sweep.json"))["state"] == "pruned"


def test_recording_touches_neither_workspace_nor_index_nor_branch(repository: Path) -> None:
    (repository / "reports/sweeps").mkdir()
    (repository / "reports/sweeps/table.csv").write_text("untracked\n")
    recorder = recorder_at(repository)
    before = contents(repository)
    for trial in (DONE, PRUNED):
        recorder.record(f"s-{trial.number:03}", trial, "model: {}\n", "val_auc")
    recorder.remove({"s-007"})
    assert contents(repository) == before
    assert recorder.recorded("s") == {"s-008"}


def test_an_existing_experiment_is_replaced(repository: Path) -> None:
    recorder = recorder_at(repository)
    recorder.record("s-007", DONE, "a: 1\n", "val_auc")
    recorder.record("s-007", DONE, "a: 2\n", "val_auc")
    (ref,) = git(repository, "for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    assert git(repository, "show", f"{ref}:params.yaml") == "a: 2"


def test_experiments_of_other_sweeps_are_not_listed(repository: Path) -> None:
    recorder = recorder_at(repository)
    for name in ("s-007", "s-1000", "s-2-001", "shy-pony"):
        recorder.record(name, DONE, "a: 1\n", "val_auc")
    assert recorder.recorded("s") == {"s-007", "s-1000"}


def test_a_trial_is_recorded_without_a_git_user(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("user.name", "user.email"):
        git(repository, "config", "--unset", key)
    git(repository, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for who in ("AUTHOR", "COMMITTER"):
        for what in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{who}_{what}", raising=False)
    monkeypatch.delenv("EMAIL", raising=False)
    recorder_at(repository).record("s-007", DONE, "a: 1\n", "val_auc")
    assert recorder_at(repository).recorded("s") == {"s-007"}


def test_a_folder_without_a_commit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="not a git repository with a commit"):
        recorder_at(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(RecordError, match="not a git repository with a commit"):
        recorder_at(tmp_path)


def test_a_detached_head_is_refused(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    with pytest.raises(RecordError, match=r"HEAD is detached at [0-9a-f]{7}.*git switch -c NAME"):
        recorder_at(repository)


@pytest.mark.parametrize("name", ["src/code.py", "conf/model/new.yaml", "params.yaml"])
def test_a_dirty_workspace_is_an_error_that_names_the_files(repository: Path, name: str) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("changed\n")
    before = contents(repository)
    with pytest.raises(RecordError, match=f"1 files? differs? from the last commit, e.g. {name}"):
        recorder_at(repository)
    assert contents(repository) == before


@pytest.mark.parametrize("name", ["conf/sweep/mine.yaml", "reports/sweeps/s/trials.csv", "notes.txt"])
def test_files_that_no_trial_depends_on_may_be_new(repository: Path, name: str) -> None:
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text("new\n")
    assert isinstance(recorder_at(repository), Recorder)


def test_a_failure_of_git_is_one_clear_error(repository: Path) -> None:
    recorder = recorder_at(repository)
    (repository / ".git/refs/exps").write_text("in the way\n")
    with pytest.raises(RecordError, match="git update-ref: "):
        recorder.record("s-007", DONE, "a: 1\n", "val_auc")


def test_the_name_of_an_earlier_sweep_is_refused(repository: Path) -> None:
    recorder_at(repository).record("s-007", DONE, "a: 1\n", "val_auc")
    git(repository, "commit", "-q", "--allow-empty", "-m", "another baseline")
    recorder = recorder_at(repository)
    with pytest.raises(RecordError, match=r"1 experiments of another sweep s, e.g. s-007.*--fresh"):
        recorder.check_unused("s")
    recorder.check_unused("other")
    recorder.remove({"s-007"})
    recorder.check_unused("s")

"""The circle of a version: registered, promoted, fetched from a remote, retrained, refused, rolled back."""

from __future__ import annotations

import csv
import json
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.commands import registry
from fullcircle.core.config import read_params
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.tags import read_tags
from fullcircle.scoring.bundle import Bundle
from tests.conftest import Project

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = ("2013-03-10", "2013-03-31")


@pytest.fixture(scope="module")
def made(reproduced: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose flights and weather come as snapshots, with version 1.0.0 registered; and a DVC remote."""
    folder = tmp_path_factory.mktemp("registry") / "project"
    shutil.copytree(reproduced.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    made = Project(folder)
    for table in ("flights", "weather"):
        made.edit(
            "conf/problem/departures.yaml",
            f"path: data/source/{table}.csv",
            f"path: 'data/source/{table}-{{as_of}}.csv', as_of: '{AS_OF[0]}'",
        )
        for day in AS_OF:
            _until(folder / f"data/source/{table}.csv", folder / f"data/source/{table}-{day}.csv", day)
    made.edit("conf/problem/departures.yaml", "validation_from: [2013, 2, 25]", "validation_from: [2013, 2, 10]")
    made.edit("conf/problem/departures.yaml", "test_from: [2013, 3, 11]", "test_from: [2013, 2, 24]")
    # These tests are about what follows from the verdict, so nearly any challenger may pass.
    made.edit("conf/problem/departures.yaml", "{metric: over_champion, min: 0.0", "{metric: over_champion, min: -0.5")
    made.edit("conf/retrain.yaml", "test_days: 28 ", "test_days: 14 ")
    made.edit("conf/retrain.yaml", "validation_days: 28 ", "validation_days: 14 ")
    made.edit("conf/retrain.yaml", "deploy: null", "deploy: dist/served")
    made.run("dvc", "remote", "add", "--default", "store", str(folder.parent / "store"))
    made.run("fullcircle", "params")
    made.run("dvc", "repro")
    made.commit()
    said = made.run("fullcircle", "register").stdout
    assert "registered departures 1.0.0: the first version" in said
    made.run("dvc", "push", "--quiet")
    return made


def _until(source: Path, out: Path, day: str) -> None:
    with source.open(newline="") as file, out.open("w", newline="") as written:
        rows = csv.reader(file)
        header = next(rows)
        writer = csv.writer(written)
        writer.writerow(header)
        at = header.index("time_hour")
        writer.writerows(row for row in rows if row[at][:10] < day)


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    """A copy of it, to be changed at will."""
    shutil.copytree(made.folder, tmp_path / "project", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(tmp_path / "project")


def test_the_registered_version_is_in_bundle_wheel_and_commit(made: Project) -> None:
    bundle = Bundle.load(made.folder / "dist/bundle")
    found = read_tags(made.folder, "departures").latest
    assert found is not None
    assert found.note is not None
    assert (bundle.version, bundle.id) == ("1.0.0", found.note.bundle)
    assert [file.name.split("-")[1] for file in (made.folder / "dist/wheel").iterdir()] == ["1.0.0"]
    assert made.run("git", "status", "--porcelain").stdout == ""
    assert made.run("git", "log", "-1", "--format=%s").stdout == "Register departures 1.0.0\n"
    assert made.run("dvc", "status").stdout == "Data and pipelines are up to date.\n"


def test_what_has_not_changed_is_registered_once(made: Project) -> None:
    assert "1.0.0 is registered already" in made.run("fullcircle", "register").stdout
    assert len(read_tags(made.folder, "departures").versions) == 1


def test_what_is_not_committed_or_not_reproduced_is_not_registered(project: Project) -> None:
    project.edit("params.yaml", "max_rejected: 0.02", "max_rejected: 0.03")
    assert "differ from the last commit, e.g. params.yaml" in project.run("fullcircle", "register", check=False).stdout
    project.commit()
    assert "the pipeline is not up to date" in project.run("fullcircle", "register", check=False).stdout


def test_a_failed_registration_leaves_everything_as_it_was(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.edit("conf/defaults.yaml", "max_rejected: 0.02", "max_rejected: 0.03")
    project.run("fullcircle", "params")
    project.run("dvc", "repro")
    project.commit()
    before = {file: (project.folder / file).read_bytes() for file in ("params.yaml", "dvc.lock")}
    monkeypatch.chdir(project.folder)
    read_params.cache_clear()
    real = registry._dvc

    def failing(*arguments: str, check: bool = True) -> object:
        if arguments[0] == "repro":
            raise RegistryError("the disk is full")
        return real(*arguments, check=check)

    monkeypatch.setattr(registry, "_dvc", failing)
    with pytest.raises(RegistryError, match="the disk is full"):
        registry.register()
    assert {file: (project.folder / file).read_bytes() for file in before} == before
    assert project.run("git", "status", "--porcelain").stdout == ""
    read_params.cache_clear()


def test_conf_without_the_registered_values_says_what_to_add(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.edit("conf/config.yaml", "  - optional registered: ${problem}\n", "")
    monkeypatch.chdir(project.folder)
    read_params.cache_clear()
    with pytest.raises(ConfigError, match=r"add `- optional registered: \$\{problem\}` as the last line"):
        registry.keep(package={"version": "7.0.0"})
    read_params.cache_clear()


def test_a_version_is_fetched_from_the_remote_into_any_clone(made: Project, tmp_path: Path) -> None:
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    assert "served" in clone.run("fullcircle", "fetch", "departures@1.0.0", "served").stdout
    found = read_tags(made.folder, "departures").latest
    assert found is not None
    assert found.note is not None
    assert Bundle.load(clone.folder / "served").id == found.note.bundle
    assert (
        "no version of departures is in prod" in clone.run("fullcircle", "fetch", "departures@prod", check=False).stdout
    )
    assert "is not registered here" in clone.run("fullcircle", "fetch", "departures@4.0.0", check=False).stdout


def test_what_the_remote_lacks_is_one_error(made: Project, tmp_path: Path) -> None:
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "remote", "modify", "store", "url", str(tmp_path / "empty"))
    said = clone.run("fullcircle", "fetch", "departures@1.0.0", "served", check=False)
    assert said.returncode == 1
    assert "cannot be had from DVC's cache or remote" in said.stdout
    assert "Traceback" not in said.stdout
    assert not (tmp_path / "clone/served").exists()


def test_retraining_registers_promotes_and_deploys_what_passes_and_then_finds_nothing_new(project: Project) -> None:
    for stage in ("staging", "prod"):
        project.run("fullcircle", "promote", stage)
    done = project.run("fullcircle", "retrain", "--as-of", AS_OF[1])
    report = json.loads((project.folder / "reports/test/report.json").read_text())
    assert "registered departures 1.0.1: the same recipe on new data" in done.stdout
    assert report["champion"]["version"] == "1.0.0"
    assert project.run("fullcircle", "champion").stdout == "1.0.1\n"
    assert Bundle.load(project.folder / "dist/served").version == "1.0.1"
    assert project.run("git", "status", "--porcelain").stdout == ""
    again = project.run("fullcircle", "retrain", "--as-of", AS_OF[1])
    assert "no new data since the last version" in again.stdout
    assert project.run("git", "status", "--porcelain").stdout == ""
    project.run("fullcircle", "rollback")
    assert project.run("fullcircle", "champion").stdout == "1.0.0\n"
    assert "1.0.1" in project.run("fullcircle", "history").stdout


def test_a_model_that_fails_its_gates_leaves_the_champion_and_the_workspace(project: Project) -> None:
    for stage in ("staging", "prod"):
        project.run("fullcircle", "promote", stage)
    project.edit(
        "conf/problem/departures.yaml", "{metric: over_champion, min: -0.5", "{metric: over_champion, min: 0.4"
    )
    project.run("fullcircle", "params")
    project.run("dvc", "repro")
    project.commit()
    done = project.run("fullcircle", "retrain", "--as-of", AS_OF[1], check=False)
    assert done.returncode == 10, done.stdout
    assert "**over_champion** is " in done.stdout
    assert "must be at least 0.4" in done.stdout
    assert project.run("fullcircle", "champion").stdout == "1.0.0\n"
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert f"retrain-{AS_OF[1]}" in project.run("dvc", "exp", "list").stdout
    assert "Data and pipelines are up to date" in project.run("dvc", "status").stdout


def test_a_run_that_fails_is_undone_at_once(project: Project) -> None:
    done = project.run("fullcircle", "retrain", "--as-of", "2013-04-15", check=False)  # there is no such snapshot
    assert done.returncode == 1
    assert "flights-2013-04-15.csv" in done.stdout
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert not (project.folder / ".dvc/tmp/fullcircle/retrain.json").exists()
    assert "Data and pipelines are up to date" in project.run("dvc", "status").stdout


@pytest.mark.parametrize("phase", ["run", "register"])
def test_a_run_that_was_killed_is_undone_or_finished(project: Project, phase: str) -> None:
    for stage in ("staging", "prod"):
        project.run("fullcircle", "promote", stage)
    head = project.run("git", "rev-parse", "HEAD").stdout.strip()
    marker = project.folder / ".dvc/tmp/fullcircle/retrain.json"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"phase": phase, "head": head, "experiment": "retrain-x"}))
    (project.folder / "params.yaml").write_text("half")  # as a kill leaves it in the middle of the circle
    (project.folder / "metrics/test.json").unlink()
    if phase == "run":
        done = project.run("fullcircle", "retrain", "--as-of", AS_OF[0])
        assert "no new data since the last version" in done.stdout
    else:  # committed, not registered yet: it was registered meanwhile
        done = project.run("fullcircle", "retrain", "--as-of", AS_OF[0])
        assert "1.0.0 is registered already" in done.stdout
        assert "1.0.0 is in prod already" in done.stdout
    assert not marker.exists()
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert project.run("fullcircle", "champion").stdout == "1.0.0\n"


def test_a_kill_between_the_commit_and_its_note_is_finished(project: Project) -> None:
    head = project.run("git", "rev-parse", "HEAD").stdout.strip()
    project.run("git", "commit", "-q", "--allow-empty", "-m", f"Retrain departures on data as of {AS_OF[0]}")
    marker = project.folder / ".dvc/tmp/fullcircle/retrain.json"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"phase": "run", "head": head, "experiment": "retrain-x"}))
    assert "1.0.0 is registered already" in project.run("fullcircle", "retrain", "--as-of", AS_OF[0]).stdout
    assert not marker.exists()


def test_a_kill_at_any_moment_leaves_the_champion_serving_and_the_next_run_finishes(project: Project) -> None:
    for stage in ("staging", "prod"):
        project.run("fullcircle", "promote", stage)
    project.run("fullcircle", "fetch", "departures@prod", "dist/served")
    begun = time.monotonic()
    project.run("fullcircle", "retrain", "--as-of", AS_OF[1])
    whole = time.monotonic() - begun
    for tag in ("departures@v1.0.1", "departures#staging#3", "departures#prod#4"):
        project.run("git", "tag", "-d", tag)
    project.run("git", "reset", "-q", "--hard", "departures@v1.0.0")
    project.run("dvc", "checkout", "-q", "--force")
    project.run("fullcircle", "fetch", "departures@prod", "dist/served")
    for share in (0.5, 0.85):
        project.killed(share * whole, "fullcircle", "retrain", "--as-of", AS_OF[1])
        assert Bundle.load(project.folder / "dist/served").version in ("1.0.0", "1.0.1")
        assert project.run("fullcircle", "champion").stdout in ("1.0.0\n", "1.0.1\n")
    project.run("fullcircle", "retrain", "--as-of", AS_OF[1])
    assert project.run("fullcircle", "champion").stdout == "1.0.1\n"
    assert Bundle.load(project.folder / "dist/served").version == "1.0.1"
    assert [str(each.version) for each in read_tags(project.folder, "departures").versions] == ["1.0.0", "1.0.1"]
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert "Data and pipelines are up to date" in project.run("dvc", "status").stdout


def test_only_one_retraining_runs_at_a_time(project: Project) -> None:
    import fcntl

    lock = project.folder / ".dvc/tmp/fullcircle/retrain.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = project.run("fullcircle", "retrain", check=False)
    assert (done.returncode, "another `fullcircle retrain` is running here" in done.stdout) == (1, True)

"""What a team expects of a repository: experiments in files, CI templates, `make clean`, attributes of git."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.core.config import compose
from fullcircle.params import check_composed
from tests import project
from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

EXPERIMENTS = sorted(path.stem for path in (ROOT / "conf/experiment").glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_in_a_file_composes(name: str) -> None:
    params = check_composed(compose([f"+experiment={name}"], project.conf()), project.conf())
    assert params != check_composed(compose((), project.conf()), project.conf())


def test_an_experiment_in_a_file_runs(copied: Project) -> None:
    copied.run("dvc", "exp", "run", "-q", "-n", "shallow", "-S", "+experiment=shallow", "train")
    params = yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))
    assert params["model"]["max_depth"] == 3


def test_version() -> None:
    from importlib.metadata import version

    from typer.testing import CliRunner

    from fullcircle.cli import app

    assert CliRunner().invoke(app, ["--version"]).stdout == f"fullcircle {version('fullcircle')}\n"


def readme_test_command() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"<!-- set-up: test -->\n```\n(.*?)\n```", text)[0]  # type: ignore[no-any-return]


def scripts(file: str) -> dict[str, list[str]]:
    """Job -> the scripts that a CI template runs."""
    content: dict[str, Any] = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    if "jobs" in content:
        jobs: dict[str, Any] = content["jobs"]
        return {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    return {name: job["script"] for name, job in content.items() if isinstance(job, dict) and "script" in job}


@pytest.mark.parametrize("file", [".github/workflows/ci.yml", ".gitlab-ci.yml"])
def test_ci_runs_the_test_command_of_the_readme(file: str) -> None:
    assert readme_test_command() in scripts(file)["test"]


NOT_HERE = ("make install", "gh pr", "schedule/gate")
"""Commands that install or talk to the host, and the gate: what it does is shown in tests/deploy/test_schedules.py."""


@pytest.mark.parametrize("file", [".github/workflows/ci.yml", ".gitlab-ci.yml"])
def test_ci_shows_the_metrics_against_the_target_branch(copied: Project, tmp_path: Path, file: str) -> None:
    """Its commands are run as they are, but for what installs and what talks to the host."""
    copied.run("git", "init", "-q", "--bare", str(tmp_path / "origin"))
    copied.run("git", "remote", "add", "origin", str(tmp_path / "origin"))
    copied.run("git", "push", "-q", "origin", "HEAD:main")
    copied.run("git", "fetch", "-q", "origin")
    copied.run("fullcircle", "params", "model.max_rounds=20")
    commands = [text for text in scripts(file)["metrics"] if not any(each in text for each in NOT_HERE)]
    script = "\n".join(commands).replace(". .venv/bin/activate", "")
    variables = {
        "GITHUB_BASE_REF": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "COMMENT_TOKEN": "",
    }
    copied.run(
        "env", *(f"{name}={value}" for name, value in variables.items()), "bash", "-euo", "pipefail", "-c", script
    )
    comment = (copied.folder / "comment.md").read_text(encoding="utf-8")
    assert re.search(r"\| metrics/test\.json +\| auc +\| 0\.\d+ +\| 0\.\d+ +\| -?0\.\d+ +\|", comment)
    assert re.search(r"model\.max_rounds +\| 2000 +\| 20 +\|", comment)
    assert (copied.folder / "reports/dvc_plots/index.html").is_file()


def test_clean_removes_what_runs_make_and_nothing_else(copied: Project) -> None:
    copied.run("make", "clean")
    assert copied.run("git", "status", "--porcelain").stdout == ""
    assert not any((copied.folder / made).exists() for made in ("data/raw", "data/split", "models", "dist"))
    assert (copied.folder / "data/source/flights.csv").is_file()
    assert (copied.folder / ".dvc/cache").is_dir()
    assert copied.run("dvc", "checkout", "-q").returncode == 0
    assert copied.ran() == []


def test_generated_pages_stay_out_of_diffs_and_a_fork_keeps_its_results(reproduced: Project) -> None:
    shown = reproduced.run(
        "git", "check-attr", "diff", "merge", "--", "reports/index.html", "uv.lock", "dvc.lock"
    ).stdout
    assert shown.splitlines() == [
        "reports/index.html: diff: unset",
        "reports/index.html: merge: ours",
        "uv.lock: diff: unset",
        "uv.lock: merge: unspecified",
        "dvc.lock: diff: unspecified",
        "dvc.lock: merge: ours",
    ]

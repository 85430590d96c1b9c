"""Trials as DVC experiments: commits that no branch holds, under refs/exps/, made without a checkout.

`dvc exp save` would do the same through a worktree of its own, which costs half a second a trial, most of it DVC
reading and writing the lock file. An experiment is a commit on its baseline with the parameters, and a ref that DVC
finds it by; git makes both of a few small files, and the workspace, the index and the branches are never touched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import FullCircleError
from fullcircle.core import paths
from fullcircle.core.tables import rounded

if TYPE_CHECKING:
    from fullcircle.sweep.trials import Trial

STALE = (paths.ON_TRAIN, paths.ON_TEST, paths.VERDICT, paths.PAGE)
"""What later stages wrote for the baseline: left in an experiment, it would pass for the trial's own."""

EMPTY = "{}\n"  # metrics that are not known yet; DVC complains of a file that is missing


class RecordError(FullCircleError):
    """A trial that cannot be made an experiment."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records trials on the commit `baseline` of the repository at `root`."""

    root: Path
    baseline: str
    author: dict[str, str]  # git's variables; empty where git knows its user

    def record(self, name: str, trial: Trial, params: str, metric: str) -> None:
        """Make experiment `name` of a trial with its composed parameters. A name that is taken is taken over."""
        files = {
            paths.PARAMS: params,
            paths.SWEEP_METRICS: _json(_of_search(trial)),
            paths.TRAIN_METRICS: _json(trial.metrics) if trial.state == "complete" else EMPTY,
            paths.TEST_METRICS: EMPTY,
        }
        said = "pruned" if trial.state == "pruned" else f"{metric} {trial.value:g}"
        commit = self._commit(files, f"{name}: {said}\n\nTrial {trial.number} of a sweep; train has not been run.")
        self._git("update-ref", self._ref(name), commit)

    def remove(self, names: set[str]) -> None:
        """Forget experiments, on whatever baseline; those that are not there are left alone."""
        for ref in self._refs():
            if ref.rpartition("/")[2] in names:
                self._git("update-ref", "-d", ref)

    def recorded(self, sweep: str) -> set[str]:
        """The experiments of a sweep that are there, on whatever baseline: DVC finds them by their names alone."""
        named = (ref.rpartition("/")[2] for ref in self._refs())
        return {name for name in named if re.fullmatch(rf"{re.escape(sweep)}-\d{{3,}}", name)}

    def check_unused(self, sweep: str) -> None:
        """Refuse a second sweep of that name: DVC could not tell its experiments apart. Raises RecordError."""
        if there := sorted(self.recorded(sweep)):
            raise RecordError(
                f"there are {len(there)} experiments of another sweep {sweep}, e.g. {there[0]}; give this one another "
                "sweep.name, or start over with --fresh, which removes them"
            )

    def _refs(self) -> list[str]:
        return self._git("for-each-ref", "--format=%(refname)", "refs/exps")

    def _commit(self, files: dict[Path, str], message: str) -> str:
        with tempfile.TemporaryDirectory(prefix="fullcircle-") as folder:
            environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", self.baseline, more=environment)
            stale = [str(path) for path in STALE]
            self._git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", *stale, more=environment)
            for path, text in files.items():
                (blob,) = self._git("hash-object", "-w", "--stdin", text=text)
                self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", more=environment)
            (tree,) = self._git("write-tree", more=environment)
        (commit,) = self._git("commit-tree", tree, "-p", self.baseline, "-F", "-", text=message)
        return commit

    def _ref(self, name: str) -> str:
        return f"refs/exps/{self.baseline[:2]}/{self.baseline[2:]}/{name}"

    def _git(self, *command: str, text: str = "", more: dict[str, str] | None = None) -> list[str]:
        done = _git(self.root, *command, text=text, more=self.author | (more or {}))
        if done.returncode:
            raise RecordError(f"git {command[0]}: {done.stderr.strip()}")
        return done.stdout.splitlines()


def recorder_at(root: Path) -> Recorder:
    """Records on the commit that is checked out. Raises RecordError where a trial could not be repeated from it."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if head.returncode:
        raise RecordError("this is no git repository with a commit, and experiments hang on one; commit first")
    baseline = head.stdout.strip()
    if _git(root, "symbolic-ref", "--quiet", "HEAD").returncode:
        raise RecordError(
            f"HEAD is detached at {baseline[:7]}: no branch would hold what the experiments hang on; "
            "`git switch -c NAME` makes one"
        )
    if dirty := _dirty(root):
        raise RecordError(
            f"{len(dirty)} files differ from the last commit, e.g. {', '.join(dirty[:3])}: trials are recorded on that "
            "commit, and could not be repeated from it; commit or stash first"
        )
    known = _git(root, "var", "GIT_COMMITTER_IDENT").returncode == 0
    return Recorder(root, baseline, {} if known else _NOBODY)


def _dirty(root: Path) -> list[str]:
    """Files that a trial depends on and the last commit does not hold as they are."""
    status = _git(root, "status", "--porcelain", "--untracked-files=all", "--no-renames").stdout.splitlines()
    changed = [line[3:] for line in status if line[:2] != "??"]
    new = [line[3:] for line in status if line[:2] == "??" and line[3:].startswith(("src/", "conf/"))]
    return [path for path in (*changed, *new) if not path.startswith(_FREE)]


_FREE = ("conf/sweep", "conf/engine", str(paths.SWEEPS))  # what describes a search, and what one leaves behind
_NOBODY = {  # where git knows no user, as in a container
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Full Circle"), ("EMAIL", "sweep@localhost"))
}


def _git(
    root: Path, *command: str, text: str = "", more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *command],
        cwd=root,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (more or {}),
        start_new_session=True,  # Ctrl-C is for the sweep, which finishes what it is recording
    )


def _of_search(trial: Trial) -> dict[str, Any]:
    found: dict[str, Any] = {"trial": trial.number, "state": trial.state}
    if trial.value is not None:
        found["value"] = trial.value
    return found if trial.deviation is None else found | {"deviation": trial.deviation}


def _json(value: dict[str, Any]) -> str:
    """As `tables.write_json` writes it, so that the run that repeats a trial changes no byte."""
    return json.dumps(rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

"""`fullcircle retrain`: new data, the whole circle as an experiment, the gates; then a version, or why none."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.files import write_text
from fullcircle.commands import registry
from fullcircle.commands.borders import rolled
from fullcircle.core import paths
from fullcircle.core.config import load, load_file, read_params
from fullcircle.core.tables import read_columns, read_typed
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.git import changed, git
from fullcircle.registry.tags import read_tags
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Path("conf/retrain.yaml")
WORK = Path(".dvc/tmp/fullcircle")
REPORT = paths.REPORTS / "retrain.md"
WRITTEN = ("conf/registered/", "params.yaml", "dvc.lock", "metrics/", "reports/")
"""What a run changes among the files that git has; a run that was killed is undone by restoring these."""


@dataclass(frozen=True, slots=True)
class RetrainSettings:
    """The whole of conf/retrain.yaml, which explains each."""

    test_days: int = 28
    validation_days: int = 28
    promote: tuple[str, ...] = ("staging", "prod")
    deploy: str | None = None
    push: bool = False

    def __post_init__(self) -> None:
        if self.test_days < 1 or self.validation_days < 1:
            raise ValueError("test_days and validation_days must be 1 or more")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come, kept in a file. `phase`: `run` (nothing is committed yet) or `register`."""

    phase: str
    head: str
    experiment: str


@dataclass(frozen=True, slots=True)
class Retrained:
    """The outcome: `registered` (and promoted), `refused` by the gates, or `unchanged`: there is no new data."""

    outcome: str
    text: str


def read_settings() -> RetrainSettings:
    """conf/retrain.yaml; the defaults where it is not there."""
    return load_file(RetrainSettings, SETTINGS) if SETTINGS.is_file() else RetrainSettings()


def retrain(as_of: str | None = None, *, again: bool = False) -> Retrained:
    """Retrain on new data. `as_of`: of the next snapshot, by default today; `again`: even if the data is the same.

    A run that was killed is undone, or finished where its result was committed already. Raises RegistryError where
    another one is running, or files differ from the last commit.
    """
    settings = read_settings()
    with _only_one():
        progress = _unfinished()
        if progress is None or progress.phase == "run":
            if progress is not None:
                _undo(progress)
            if files := changed(registry.ROOT):
                raise RegistryError(
                    f"{len(files)} files differ from the last commit, e.g. {files[0]}: commit them first"
                )
            try:
                found = _run(settings, as_of or date.today().isoformat(), again=again)
            except BaseException:
                _abandon()
                raise
            if found is not None:
                _note(None)
                return found
        else:
            _restore()  # a registration that was killed has changed files; it begins again
        text = _publish(settings)
        _note(None)
        return Retrained("registered", text)


@contextmanager
def _only_one() -> Iterator[None]:
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "retrain.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RegistryError("another `fullcircle retrain` is running here") from None
        yield


def _run(settings: RetrainSettings, as_of: str, *, again: bool) -> Retrained | None:
    """Run the circle on new data; commit it if it passes its gates. None then, else why it ends here."""
    head = git(registry.ROOT, "rev-parse", "HEAD").strip()
    experiment = f"retrain-{as_of}"
    progress = Progress("run", head, experiment)
    _note(progress)
    before = _data_of_last_version()
    registry.keep(problem=_snapshot(as_of), validate=_champion())
    _dvc("repro", "clean")
    if not again and before is not None and _data_now() == before:
        _undo(progress)
        return Retrained("unchanged", "no new data since the last version: nothing was trained")
    if load(str, "split.kind") == "time":
        _dvc("repro", "label")
        registry.keep(problem={"time": _borders(settings)})
    git(registry.ROOT, "add", str(registry.KEPT))
    _dvc("exp", "run", "--force", "--name", experiment)
    read_params.cache_clear()
    verdict = read_typed(Verdict, paths.VERDICT)
    if verdict.status not in registry.policy().verdict:
        text = _refusal(verdict, experiment)
        _undo(progress)
        write_text(REPORT, text)
        return Retrained("refused", text)
    git(registry.ROOT, "add", "--", str(registry.KEPT), *changed(registry.ROOT))
    git(registry.ROOT, "commit", "--quiet", "-m", _message(as_of))
    _note(Progress("register", git(registry.ROOT, "rev-parse", "HEAD").strip(), experiment))
    return None


def _publish(settings: RetrainSettings) -> str:
    """Register the committed result, promote and deploy it; each step may have been done before."""
    lines = [registry.register().splitlines()[0]]
    lines += [registry.promote(stage, None).splitlines()[0] for stage in settings.promote]
    if settings.deploy is not None:
        last = registry.policy().last
        lines.append("deployed " + registry.fetch(f"{registry.model()}@{last}", Path(settings.deploy)))
    if settings.push:
        _dvc("push", "--quiet")
        git(registry.ROOT, "push", "--quiet", "--follow-tags")
        lines.append("pushed to the remotes of DVC and git")
    text = "\n".join(lines)
    write_text(REPORT, f"# Retrained\n\n{text}\n")
    return text


def _snapshot(as_of: str) -> dict[str, Any]:
    """The next snapshot of each source that has one."""
    named = read_params()["problem"]["sources"]
    return {"sources": {name: {"as_of": as_of} for name, source in named.items() if source.get("as_of") is not None}}


def _champion() -> dict[str, Any]:
    champion = read_tags(registry.ROOT, registry.model()).in_stage(registry.policy().last)
    return {"champion": None if champion is None else str(champion.version)}


def _data_of_last_version() -> dict[str, str] | None:
    latest = read_tags(registry.ROOT, registry.model()).latest
    return None if latest is None or latest.note is None else latest.note.data


def _data_now() -> dict[str, str]:
    from fullcircle.core.manifest import RawTable

    return {name: table.sha256 for name, table in read_typed(dict[str, RawTable], paths.RAW_MANIFEST).items()}


def _borders(settings: RetrainSettings) -> dict[str, Any]:
    names = load(tuple[str, ...], "split.columns")
    validation, test = rolled(read_columns(paths.LABELLED, [*names]), settings.validation_days, settings.test_days)
    return {"validation_from": validation, "test_from": test}


def _refusal(verdict: Verdict, experiment: str) -> str:
    lines = [
        f"# Not registered: the verdict is {verdict.status}",
        "",
        f"Experiment `{experiment}`; `dvc exp show`.",
        "",
    ]
    for gate in verdict.gates:
        limit = f"at least {gate.min:g}" if gate.min is not None else f"at most {gate.max:g}"
        value = "unknown" if gate.value is None else f"{gate.value:.4g}"
        if gate.status != "passed":
            lines.append(f"- **{gate.metric}** is {value}, and must be {limit}: {gate.why}")
    return "\n".join([*lines, "", "The champion goes on.", ""])


def _unfinished() -> Progress | None:
    file = WORK / "retrain.json"
    if not file.is_file():
        return None
    found = Progress(**json.loads(file.read_text(encoding="utf-8")))
    parent, subject = git(registry.ROOT, "log", "-1", "--format=%P%n%s").splitlines()
    if parent == found.head and subject.startswith(_message("")):  # killed between the commit and its note
        return replace(found, phase="register")
    return found


def _message(as_of: str) -> str:
    return f"Retrain {registry.model()} on data as of {as_of}"


def _abandon() -> None:
    """Undo a run that failed before its result was committed; where that fails too, the next run does it."""
    progress = _unfinished()
    if progress is not None and progress.phase == "run":
        with suppress(RegistryError):
            _undo(progress)
            _note(None)


def _note(progress: Progress | None) -> None:
    file = WORK / "retrain.json"
    if progress is None:
        file.unlink(missing_ok=True)
    else:
        write_text(file, json.dumps(asdict(progress)))


def _undo(progress: Progress) -> None:
    """Undo a run before its result was committed. Raises RegistryError where there are other commits since."""
    if git(registry.ROOT, "rev-parse", "HEAD").strip() != progress.head:
        raise RegistryError(
            f"a run of `fullcircle retrain` was interrupted, and there are other commits since: restore "
            f"{', '.join(WRITTEN)} as they should be, and delete {WORK / 'retrain.json'}"
        )
    _restore()


def _restore() -> None:
    """Restore the files of the last commit that a run has changed. Raises RegistryError where others differ, too."""
    git(registry.ROOT, "reset", "--quiet")
    if other := [file for file in changed(registry.ROOT) if not file.startswith(WRITTEN)]:
        raise RegistryError(f"a run was interrupted, and {other[0]} was changed since: commit it, or restore it")
    new = git(registry.ROOT, "ls-files", "--others", "--exclude-standard", "--", str(registry.KEPT)).split()
    for file in new:
        Path(file).unlink(missing_ok=True)
    git(registry.ROOT, "checkout", "--quiet", "HEAD", "--", ".")
    read_params.cache_clear()
    _dvc("checkout", "--quiet", "--force")


def _dvc(*arguments: str) -> None:
    """Run DVC, its output shown as it comes. Raises RegistryError where it fails."""
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], stdout=sys.stderr, check=False)
    if done.returncode:
        raise RegistryError(f"dvc {' '.join(arguments)} failed: see above")
    read_params.cache_clear()

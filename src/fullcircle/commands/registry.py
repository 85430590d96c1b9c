"""`fullcircle register`, `promote`, `rollback`, `champion`, `history`, `fetch`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ConfigError
from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.config import as_yaml, compose, load, load_file, read_params
from fullcircle.core.tables import read_json
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.fetch import fetch_bundle, registered
from fullcircle.registry.git import changed, git
from fullcircle.registry.policy import Policy
from fullcircle.registry.publish import (
    CHANGED,
    Promotion,
    before_champion,
    check_promotion,
    check_verdict,
    tag_stage,
    tag_version,
)
from fullcircle.registry.tags import Note, Registered, Tags, champions, read_tags
from fullcircle.registry.versions import Fingerprint, Version, fingerprint, next_version
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

ROOT = Path()
POLICY = Path("conf/registry.yaml")
KEPT = Path("conf/registered")


def policy() -> Policy:
    """The policy of conf/registry.yaml; the default one where it is not there."""
    return load_file(Policy, POLICY) if POLICY.is_file() else Policy()


def model() -> str:
    """The name of the model: that of the problem."""
    return load(str, "problem.name")


def register() -> str:
    """Register the bundle of the last commit as the next version; what was done, in words. Raises RegistryError."""
    if files := changed(ROOT):
        raise RegistryError(
            f"{len(files)} files differ from the last commit, e.g. {files[0]}: commit them first, for a version is a "
            "commit"
        )
    _check_reproduced()
    bundle = Bundle.load(paths.BUNDLE)
    check_verdict(bundle.verdict.status, policy())
    tags = read_tags(ROOT, model())
    now = _fingerprint(bundle)
    before = _last(tags)
    version, change = next_version(before, now)
    if change == "none":
        return f"{tags.model} {version} is registered already: neither schema, recipe nor data changed"
    _build(version)
    bundle = Bundle.load(paths.BUNDLE)
    found = tag_version(ROOT, version, _note(bundle, now, change))
    return (
        f"registered {tags.model} {version}: {CHANGED[change]} (bundle {bundle.id[:12]}, tag {found.tag})\n"
        f"share it: dvc push && git push --follow-tags"
    )


def _last(tags: Tags) -> tuple[Version, Fingerprint] | None:
    noted = [(each.version, each.note.fingerprint) for each in tags.versions if each.note is not None]
    return max(noted, key=lambda each: each[0], default=None)


def _fingerprint(bundle: Bundle) -> Fingerprint:
    described = Path(load(str, "problem.data")).read_text(encoding="utf-8")
    return fingerprint(bundle, read_params()["problem"], described)


def _note(bundle: Bundle, now: Fingerprint, change: str) -> Note:
    metric = load(str, "problem.metric")
    return Note(
        bundle.about.problem,
        bundle.id,
        now,
        hashlib.sha256(paths.PARAMS.read_bytes()).hexdigest(),
        bundle.provenance.code,
        bundle.verdict.status,
        metric,
        read_json(paths.TEST_METRICS).get(metric),
        change,
        {name: origin.sha256 for name, origin in bundle.provenance.data.items()},
    )


def _check_reproduced() -> None:
    """Refuse a workspace whose stages are not up to date. Raises RegistryError."""
    done = _dvc("status", "--quiet", check=False)
    if done.returncode:
        raise RegistryError("the pipeline is not up to date, so the bundle is not that of this commit: `dvc repro`")


def _dvc(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RegistryError(f"dvc {' '.join(arguments)} failed\n{done.stderr.strip() or done.stdout.strip()}")
    return done


def _build(version: Version) -> None:
    """Package the bundle anew as a version, and commit that. A failure leaves everything as it was."""
    kept = KEPT / f"{model()}.yaml"
    if read_params()["package"]["version"] == str(version):
        return
    there = kept.is_file()
    try:
        keep(package={"version": str(version)})
        _dvc("repro", "--quiet", "package")
        git(ROOT, "add", "--", str(kept), *changed(ROOT))
        git(ROOT, "commit", "--quiet", "-m", f"Register {model()} {version}")
    except BaseException:
        if not there:
            git(ROOT, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", str(kept))
            kept.unlink(missing_ok=True)
        git(ROOT, "checkout", "--quiet", "HEAD", "--", ".")
        _dvc("checkout", "--quiet", check=False)
        raise
    finally:
        read_params.cache_clear()


def keep(**sections: dict[str, Any]) -> None:
    """Write values into conf/registered/PROBLEM.yaml, and compose params.yaml with them. Raises ConfigError."""
    file = KEPT / f"{model()}.yaml"
    values: dict[str, Any] = dict(read_params(file)) if file.is_file() else {}
    values = _merged(values, sections)
    head = "# @package _global_\n# Kept by `fullcircle register` and `fullcircle champion --pin`.\n"
    write_text(file, head + as_yaml(values))
    composed = compose()
    write_text(paths.PARAMS, composed)
    read_params.cache_clear()
    if _merged(read_params(), sections) != read_params():
        raise ConfigError(
            f"conf/ composes other values than {file} has: add `- optional registered: ${{problem}}` as the last line "
            "of `defaults` in conf/config.yaml"
        )


def _merged(one: dict[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Values in values: those of the second in the place of those of the first."""
    made = dict(one)
    for name, value in two.items():
        there = made.get(name)
        made[name] = _merged(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return made


def promote(stage: str, version: str | None, *, skip: bool = False, because: str = "") -> str:
    """Assign a stage to a version, by default to the latest one; what was done, in words. Raises RegistryError."""
    tags = read_tags(ROOT, model())
    found = tags.latest if version is None else registered(ROOT, model(), version)
    if found is None:
        raise RegistryError(f"no version of {tags.model} is registered: `fullcircle register`")
    wanted = Promotion(stage, found, skip, because)
    check_promotion(ROOT, tags, wanted, policy())
    now = tags.in_stage(stage)
    if now is not None and now.version == found.version:
        return f"{tags.model} {found.version} is in {stage} already"
    tag_stage(ROOT, tags, wanted)
    instead = f", instead of {now.version}" if now else ""
    return f"{tags.model} {found.version} is in {stage} now{instead}\nshare it: git push --tags"


def rollback() -> str:
    """The last stage goes back to the version that was in it before; what was done, in words. Raises RegistryError."""
    tags, stage = read_tags(ROOT, model()), policy().last
    back = before_champion(tags, stage)
    now = tags.in_stage(stage)
    reason = f"rolled back from {now.version}" if now else ""
    tag_stage(ROOT, tags, Promotion(stage, back, because=reason))
    instead = f", instead of {now.version}" if now else ""
    return f"{tags.model} {back.version} is in {stage} again{instead}\nshare it: git push --tags"


def champion(when: datetime | None = None) -> Registered:
    """The version in the last stage, at an instant. Raises RegistryError where there is none."""
    tags, stage = read_tags(ROOT, model()), policy().last
    found = tags.in_stage(stage, when)
    if found is None:
        raise RegistryError(f"no version of {tags.model} {'is' if when is None else 'was'} in {stage}")
    return found


def pin() -> str:
    """Have `validate` compare with the champion from now on; what was done, in words."""
    found = champion()
    keep(validate={"champion": str(found.version)})
    return (
        f"`dvc repro` compares with {found.model} {found.version} now: {KEPT / f'{found.model}.yaml'}, {paths.PARAMS}"
    )


def history() -> str:
    """Versions and their stages, in the order of time, as a table."""
    tags, last = read_tags(ROOT, model()), policy().last
    if not tags.versions:
        return f"no version of {tags.model} is registered"
    rows = [(v.when, f"{v.version}", "registered", _about(v)) for v in tags.versions]
    for each in tags.assignments:
        version = tags.at_commit(each.commit)
        name = "?" if version is None else str(version.version)
        rows.append((each.when, name, each.stage, " ".join(each.about.splitlines()[2:])))
    now = tags.in_stage(last)
    lines = [f"{when:%Y-%m-%d %H:%M}  {name:<9}{what:<12}{about}".rstrip() for when, name, what, about in sorted(rows)]
    count = len(champions(tags, last))
    lines.append(f"champion: {now.version if now else 'none'}" + (f", of {count} so far" if count > 1 else ""))
    return "\n".join(lines)


def _about(version: Registered) -> str:
    note = version.note
    if note is None:
        return "not by `fullcircle register`"
    value = "" if note.value is None else f"{note.metric} {note.value:.3f}, "
    return (
        f"{value}{note.verdict}, bundle {note.bundle[:12]}, commit {version.commit[:7]}: {CHANGED.get(note.change, '')}"
    )


def fetch(wanted: str, out: Path | None) -> str:
    """Write the bundle of MODEL@STAGE or MODEL@VERSION to a folder; where it is, in words. Raises RegistryError."""
    name, _, which = wanted.rpartition("@")
    if not name:
        raise RegistryError(f"{wanted!r} must be MODEL@STAGE or MODEL@VERSION, such as flights@prod or flights@1.2.0")
    if which in policy().stages:
        version = read_tags(ROOT, name).in_stage(which)
        if version is None:
            raise RegistryError(f"no version of {name} is in {which} (git fetch --tags?)")
    else:
        version = registered(ROOT, name, which)
    place = fetch_bundle(ROOT, version)
    if out is None:
        return f"{name} {version.version}: {place}"
    _replace(out, lambda part: shutil.copytree(place, part))
    Bundle.load(out)
    return f"{name} {version.version}: {out}"


def _replace(out: Path, write: Callable[[Path], object]) -> None:
    """Put what `write` writes into the place of a folder; whoever reads it sees the old one or the new one."""
    part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    for folder in (part, old):
        shutil.rmtree(folder, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    write(part)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)

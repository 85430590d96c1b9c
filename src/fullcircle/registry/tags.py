"""Versions and stages as git tags, in GTO's form: `flights@v1.2.0`, and `flights#prod#3` at the commit of a version."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build, plain
from fullcircle.registry.git import git
from fullcircle.registry.versions import Fingerprint, Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_VERSION = re.compile(r"(?P<model>[^@#]+)@v(?P<version>[0-9]+\.[0-9]+\.[0-9]+)")
_STAGE = re.compile(r"(?P<model>[^@#]+)#(?P<stage>[a-z0-9-]+)#(?P<number>[0-9]+)")
_FIELDS = "%(refname:short)%00%(taggerdate:iso-strict)%00%(*objectname)%00%(taggername)%00%(taggeremail)%00%(contents)"


@dataclass(frozen=True, slots=True)
class Note:
    """What the tag of a version records. `parameters`: SHA-256 of params.yaml; `metric`, `value`: the primary one."""

    problem: str
    bundle: str
    fingerprint: Fingerprint
    parameters: str
    code: str
    verdict: str
    metric: str
    value: float | None = None
    change: str = ""
    data: dict[str, str] = field(default_factory=dict)  # table -> SHA-256


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version. `note`: None of a tag that was not made by `fullcircle register`."""

    model: str
    version: Version
    when: datetime
    commit: str
    author: str
    note: Note | None

    @property
    def tag(self) -> str:
        """The name of the tag."""
        return f"{self.model}@v{self.version}"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A version that was given a stage. `number`: of the tag, which rises with each assignment of the stage."""

    model: str
    stage: str
    number: int
    when: datetime
    commit: str
    author: str
    about: str


@dataclass(frozen=True, slots=True)
class Tags:
    """The registry of one model, each list in the order of time."""

    model: str
    versions: list[Registered]
    assignments: list[Assigned]

    def at_commit(self, commit: str) -> Registered | None:
        """The version that was registered at a commit."""
        return next((each for each in self.versions if each.commit == commit), None)

    def version(self, version: Version) -> Registered | None:
        """A version."""
        return next((each for each in self.versions if each.version == version), None)

    @property
    def latest(self) -> Registered | None:
        """The highest version."""
        return max(self.versions, key=lambda each: each.version, default=None)

    def of_bundle(self, bundle: str) -> Registered | None:
        """The version with a bundle, by its id."""
        return next((each for each in self.versions if each.note is not None and each.note.bundle == bundle), None)

    def in_stage(self, stage: str, when: datetime | None = None) -> Registered | None:
        """The version in a stage, at an instant; by default the last one that was assigned."""
        found = [each for each in self.assignments if each.stage == stage and (when is None or each.when <= when)]
        return self.at_commit(found[-1].commit) if found else None

    def stages_of(self, version: Registered) -> list[str]:
        """The stages that a version has been in, each once, in the order in which it came to them."""
        return list(dict.fromkeys(each.stage for each in self.assignments if each.commit == version.commit))


def read_tags(root: Path, model: str) -> Tags:
    """The registry of a model, by one call of git. Tags of other forms, and lightweight ones, are left out."""
    text = git(root, "for-each-ref", f"--format={_FIELDS}%01", "refs/tags")
    versions, assignments = list[Registered](), list[Assigned]()
    for record in text.split("\x01\n"):
        if not record:
            continue
        name, when, commit, author, email, contents = record.split("\0", 5)
        if not when or not commit:
            continue  # a lightweight tag says neither when nor who
        moment, by = datetime.fromisoformat(when).astimezone(UTC), f"{author} {email}"
        if (match := _VERSION.fullmatch(name)) and match["model"] == model:
            found = Registered(model, Version.read(match["version"]), moment, commit, by, _note(contents))
            versions.append(found)
        elif (match := _STAGE.fullmatch(name)) and match["model"] == model:
            number = int(match["number"])
            assignments.append(Assigned(model, match["stage"], number, moment, commit, by, contents.strip()))
    versions.sort(key=lambda each: (each.when, each.version))
    assignments.sort(key=lambda each: (each.when, each.number))
    return Tags(model, versions, assignments)


def message_of(title: str, note: Note | None = None, because: str = "") -> str:
    """The message of a tag: a line for people, and what it records as JSON."""
    parts = [title, *([because] if because else [])]
    if note is not None:
        parts.append(json.dumps(plain(note), indent=1, sort_keys=True))
    return "\n\n".join(parts)


def _note(contents: str) -> Note | None:
    begin, end = contents.find("{"), contents.rfind("}")
    try:
        return build(Note, json.loads(contents[begin : end + 1]), "a tag")
    except (ValueError, ConfigError):
        return None


def champions(tags: Tags, stage: str) -> Sequence[tuple[datetime, Registered]]:
    """Since when each version was in a stage, in the order of time; a version that was assigned again counts once."""
    found: list[tuple[datetime, Registered]] = []
    for each in tags.assignments:
        version = tags.at_commit(each.commit) if each.stage == stage else None
        if version is not None and (not found or found[-1][1].version != version.version):
            found.append((each.when, version))
    return found

"""Makes the tags of versions and stages, as GTO does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.registry.errors import RegistryError
from fullcircle.registry.git import git, who
from fullcircle.registry.tags import Registered, Tags, champions, message_of, read_tags

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.registry.policy import Policy
    from fullcircle.registry.tags import Note
    from fullcircle.registry.versions import Version

CHANGED = {
    "first": "the first version",
    "schema": "callers send or get other columns",
    "recipe": "features, model or problem changed",
    "data": "the same recipe on new data",
}
"""Kind of change -> in words."""


def check_verdict(status: str, policy: Policy) -> None:
    """Refuse a verdict that the policy does not allow. Raises RegistryError."""
    if status not in policy.verdict:
        raise RegistryError(
            f"the verdict is {status}, and conf/registry.yaml allows {', '.join(policy.verdict)}: see "
            "reports/index.html for the gates that failed"
        )


def tag_version(root: Path, version: Version, note: Note) -> Registered:
    """Tag the last commit as a version. Raises RegistryError."""
    who(root)
    title = f"{note.problem} {version}: {CHANGED.get(note.change, note.change)}"
    try:
        git(root, "tag", "--annotate", "--message", message_of(title, note), f"{note.problem}@v{version}", "HEAD")
    except RegistryError as error:
        raise RegistryError(f"version {version} of {note.problem} cannot be tagged: {error}") from None
    found = read_tags(root, note.problem).version(version)
    if found is None:
        raise RegistryError(f"the tag of version {version} of {note.problem} was made and is not there")
    return found


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that is to get a stage. `skip`: against the order or the verdict, `because`."""

    stage: str
    version: Registered
    skip: bool = False
    because: str = ""


def check_promotion(root: Path, tags: Tags, wanted: Promotion, policy: Policy) -> None:
    """Refuse what the policy does not allow. Raises RegistryError."""
    if wanted.stage not in policy.stages:
        raise RegistryError(f"there is no stage {wanted.stage}; conf/registry.yaml has {', '.join(policy.stages)}")
    place = policy.stages.index(wanted.stage)
    before = policy.stages[place - 1] if place else None
    faults = []
    if before is not None and before not in tags.stages_of(wanted.version):
        faults.append(f"it was not in {before} before")
    note = wanted.version.note
    if note is None or note.verdict not in policy.verdict:
        faults.append(f"its verdict is {note.verdict if note else 'not recorded'}")
    if not faults:
        return
    version = f"version {wanted.version.version} of {tags.model}"
    if not wanted.skip:
        raise RegistryError(f"{version} cannot be promoted to {wanted.stage}: {' and '.join(faults)}")
    email = who(root)[1]
    if email not in policy.may_skip:
        raise RegistryError(
            f"{version} cannot be promoted to {wanted.stage}: {' and '.join(faults)}, and {email} may not skip that: "
            "may_skip in conf/registry.yaml names who may"
        )
    if not wanted.because.strip():
        raise RegistryError(f"{version}: {' and '.join(faults)}. Say why it is promoted all the same: --because TEXT")


def tag_stage(root: Path, tags: Tags, wanted: Promotion) -> None:
    """Tag the commit of a version as being in a stage. Raises RegistryError."""
    who(root)
    number = 1 + max((each.number for each in tags.assignments), default=0)
    message = message_of(f"{tags.model} {wanted.version.version} is {wanted.stage}", because=wanted.because)
    name = f"{tags.model}#{wanted.stage}#{number}"
    git(root, "tag", "--annotate", "--message", message, name, wanted.version.commit)


def before_champion(tags: Tags, stage: str) -> Registered:
    """The version that was in a stage before the one that is. Raises RegistryError where there is none.

    A rollback does not count as a new version: rolled back twice, one comes to the version before that.
    """
    history = [version for _, version in champions(tags, stage)]
    if not history:
        raise RegistryError(f"no version of {tags.model} is in {stage}")
    line: list[Registered] = []
    for version in history:
        known = [each.version for each in line]
        line = line[: known.index(version.version) + 1] if version.version in known else [*line, version]
    if len(line) < 2:
        raise RegistryError(
            f"no version of {tags.model} was in {stage} before {line[-1].version}: nothing to go back to"
        )
    return line[-2]

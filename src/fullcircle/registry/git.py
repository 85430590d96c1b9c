"""Git, called as a command."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from fullcircle.registry.errors import RegistryError

if TYPE_CHECKING:
    from pathlib import Path


def git(root: Path, *arguments: str) -> str:
    """What git prints. Raises RegistryError with what it says where it fails."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise RegistryError(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        raise RegistryError(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def changed(root: Path) -> list[str]:
    """The tracked files that differ from the last commit."""
    lines = git(root, "status", "--porcelain", "--untracked-files=no", "-z").split("\0")
    return [line[3:] for line in lines if line]


def who(root: Path) -> tuple[str, str]:
    """Name and e-mail address of who makes tags, as git has them. Raises RegistryError where it has none."""
    try:
        found = re.fullmatch(r"(.*) <(.*)> \d+ [-+]\d+", git(root, "var", "GIT_COMMITTER_IDENT").strip())
    except RegistryError:
        found = None
    if found is None:
        raise RegistryError(
            "git does not know who you are, and a tag names its author: git config user.name NAME, and user.email"
        )
    return found[1], found[2]

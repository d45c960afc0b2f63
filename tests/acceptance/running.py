"""The real `wardgate` command as a child process, with a folder of its own: what a user runs."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.rig import free_port

WARDGATE = str(Path(sys.executable).with_name("wardgate"))
REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


@dataclass
class Running:
    """A gateway in `folder`; `models` and `more` go into its wardgate.yaml."""

    folder: Path
    models: dict[str, Any]
    policies: dict[str, str]
    more: dict[str, Any] = field(default_factory=dict)
    program: tuple[str, ...] = (WARDGATE, "serve", "--config")
    """What serves; the path of the settings file comes last."""
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port, self.admin_port = free_port(), free_port()
        self.config = self.folder / "wardgate.yaml"
        self.log = self.folder / "serve.log"
        (self.folder / "policies").mkdir(exist_ok=True)
        for name, text in self.policies.items():
            (self.folder / "policies" / f"{name}.yaml").write_text(text)
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "admin_listen": f"127.0.0.1:{self.admin_port}",
            "models": self.models,
            **self.more,
        }
        self.config.write_text(yaml.safe_dump(settings))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Serve, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, str(self.config)],
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.ready():
                return
            time.sleep(0.05)  # what is waited for is another process
        raise AssertionError(f"the gateway did not start:\n{self.log.read_text()}")

    def ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path: str, *, admin: bool = False) -> tuple[int, bytes]:
        port = self.admin_port if admin else self.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """As a power cut would: no signal handler runs."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [WARDGATE, *words, "--config", str(self.config)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def key(self, team: str = "default") -> str:
        return self.command("key", "create", "--team", team).stdout.strip()

    def records(self) -> list[dict[str, Any]]:
        """The audit log, as `audit export` gives it."""
        out = self.folder / "records.jsonl"
        self.command("audit", "export", "--format", "jsonl", "--out", str(out))
        return [json.loads(line) for line in out.read_text().splitlines()]


@contextmanager
def running(
    folder: Path,
    models: dict[str, Any],
    policies: dict[str, str],
    *,
    program: tuple[str, ...] = (WARDGATE, "serve", "--config"),
    **more: Any,
) -> Iterator[Running]:
    """`more` are further settings."""
    gateway = Running(folder, models, policies, more, program)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def outcomes(records: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By call: how it was said to have ended. One entry is right; more or none is a fault."""
    told: dict[str, list[str]] = {}
    for record in records:
        if record["kind"] == "inference.intent":
            told.setdefault(record["call"], [])
        elif record["kind"] in {"inference.decision", "inference.interrupted"}:
            told.setdefault(record["call"], []).append(record["outcome"])
    return told

"""The scriptable model server of ../shared/rig, run as a child process for tests of any room.

A folder takes it by importing `mock_upstream` and `mock_upstream_process` in its conftest.
Every test starts from zeroed counters and default knobs; the process lives for the session.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from tests.shared import shared

SCRIPT = shared() / "rig" / "mock_upstream.py"
KNOBS = {
    "tokens": 32,
    "delay_ms": 0.0,
    "ttft_ms": 0.0,
    "stamp": 0,
    "script": "",
    "fail": "",
    "fail_at": -1,
}


@dataclass(frozen=True, slots=True)
class MockUpstream:
    """The mock's control side. Its calls block for about a millisecond, also in async tests."""

    port: int

    @property
    def base_url(self) -> str:
        """What goes into `wardgate.yaml` as `base_url`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def last(self, k: int = 1) -> list[dict[str, Any]]:
        """The last `k` inference requests, oldest first: `path`, `body` (parsed), `head` (text)."""
        return self._ask("GET", f"/__last?k={k}")

    def stats(self) -> dict[str, int]:
        """Counters; one that never counted is absent: `requests`, `active`, `cancelled`, ..."""
        return self._ask("GET", "/__stats")

    def reset(self) -> None:
        self._ask("POST", "/__reset", {})
        self._ask("POST", "/__defaults", KNOBS)

    def defaults(self, **knobs: float | str) -> None:
        """Knobs for every request from now on; a model name such as `mock~tokens=5` is stronger."""
        self._ask("POST", "/__defaults", knobs)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def eventually(holds: Callable[[], bool], *, within: float = 5.0) -> None:
    """Wait until `holds()`; fail after `within` seconds."""
    with anyio.move_on_after(within):
        while not holds():  # noqa: ASYNC110  what is waited for is in another process
            await anyio.sleep(0.01)
        return
    pytest.fail(f"did not come true within {within} s")


@pytest.fixture(scope="session")
def mock_upstream_process() -> Iterator[MockUpstream]:
    if not SCRIPT.is_file():
        pytest.fail(
            f"the mock model server is missing: {SCRIPT}. Put shared/ beside the repository."
        )
    port = free_port()
    command = [sys.executable, str(SCRIPT), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        if "mock upstream on" not in (line := process.stderr.readline()):
            pytest.fail(f"the mock model server did not start: {line}")
        yield MockUpstream(port)
        process.terminate()


@pytest.fixture
def mock_upstream(mock_upstream_process: MockUpstream) -> MockUpstream:
    mock_upstream_process.reset()
    return mock_upstream_process

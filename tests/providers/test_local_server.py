"""The child process: it says its address, dies with its parent, and fails when nothing loads."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.providers.local import MODELS, located
from tests.providers.test_local import command_line
from tests.rig import eventually

pytestmark = pytest.mark.anyio

SERVER = [sys.executable, "-m", "gateway.providers.local_server", "--alias=m"]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
print(child.pid, child.stdout.readline().decode().strip(), flush=True)
time.sleep(600)
"""


def lives(pid: int) -> bool:
    return b"local_server" in command_line(pid)


def started(*command: str, key: bytes = b"key\n") -> subprocess.Popen[bytes]:
    """The program, with its key sent and its stdin open."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(key)
    process.stdin.flush()
    return process


def said(process: subprocess.Popen[bytes]) -> bytes:
    """The first line that it printed; empty when it ended without one."""
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the end of stdin is the only sign")
async def test_a_parent_killed_outright_takes_its_child_along():
    """The child shares the parent's stdin, which stays open here: only the kernel can tell it."""
    model = located(MODELS["smollm2-135m"])
    with started(sys.executable, "-c", PARENT, *SERVER, f"--model={model}") as parent:
        pid, address = said(parent).split()
        assert address.startswith(b"http://127.0.0.1:")
        assert lives(int(pid))
        os.kill(parent.pid, signal.SIGKILL)
        await eventually(lambda: not lives(int(pid)))


def test_the_end_of_stdin_is_the_end():
    model = located(MODELS["smollm2-135m"])
    with started(*SERVER, f"--model={model}") as child:
        assert said(child).startswith(b"http://127.0.0.1:")
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(5) == 0


def test_a_file_that_is_no_model_ends_it_with_an_error_and_without_a_word(tmp_path: Path):
    broken = tmp_path / "x.gguf"
    broken.write_bytes(b"GGUF but not really")
    with started(*SERVER, f"--model={broken}") as child:
        assert said(child) == b""
        assert child.wait(5) != 0


def test_it_does_not_serve_without_a_key():
    with started(*SERVER, "--model=/nowhere", key=b"\n") as child:
        assert said(child) == b""
        assert child.wait(5) == 1

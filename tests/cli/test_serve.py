"""`wardgate serve`: it says where it serves and how to try it, and what is wrong stops it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.houses import POLICY, build

WARDGATE = [sys.executable, "-c", "from gateway.cli import main; main()"]


@contextmanager
def serving(config: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [*WARDGATE, "serve", "--config", str(config), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(out: IO[str] | None, pattern: str) -> re.Match[str]:
    assert out is not None
    read = ""
    for line in out:
        read += line
        if found := re.search(pattern, read, re.DOTALL):
            return found
    pytest.fail(f"{pattern} was never said, but: {read}")


def ask(curl: str, body: str) -> str:
    """What the printed line would do, without curl."""
    url = re.search(r"http://\S+", curl)
    key = re.search(r"Bearer (\S+)'", curl)
    assert url
    assert key
    headers = {"authorization": f"Bearer {key[1]}", "content-type": "application/json"}
    request = Request(url[0], body.encode(), headers)  # noqa: S310 - our own port
    with urlopen(request, timeout=10) as response:  # noqa: S310
        return response.read().decode()


def test_welcome_prints_lines_that_work_and_a_signal_ends_it(tmp_path: Path) -> None:
    with serving(build(tmp_path), "--welcome") as process:
        told = until(
            process.stdout,
            r"Detectors.*?keywords: .*?(curl -s .*?) -d '(.*?)'\n.*?(curl -sN.*?) -d '(.*?)'\n",
        )
        whole, stream = ask(told[1], told[2]), ask(told[3], told[4])
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
        assert process.stderr is not None
        log = process.stderr.read()

    assert json.loads(whole)["choices"][0]["message"]["content"].startswith(
        "Answer in one sentence"
    )
    assert stream.endswith("data: [DONE]\n\n")
    assert code == 0
    assert "capital" not in log
    assert "Traceback" not in log


def run(config: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["serve", "--config", str(config), *options])


def test_a_policy_that_is_wrong_is_refused_with_file_line_and_mend(tmp_path: Path) -> None:
    done = run(build(tmp_path, policy=POLICY.replace("action: block", "action: blok")))

    assert done.exit_code == 1
    assert done.stdout == ""
    assert re.search(r"house\.yaml:8: .*block", done.stderr)
    assert "Traceback" not in done.stderr


def test_settings_that_are_wrong_are_refused(tmp_path: Path) -> None:
    done = run(build(tmp_path, settings="listen: here\n"))

    assert done.exit_code == 1
    assert "wardgate.yaml:1:" in done.stderr


def test_more_workers_than_one_are_not_yet_there(tmp_path: Path) -> None:
    done = run(build(tmp_path), "--workers", "2")

    assert done.exit_code == 2
    assert "not yet supported" in done.stderr

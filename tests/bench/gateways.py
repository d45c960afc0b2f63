"""Gateways to measure: a folder with settings and policies of the bench's own, a key, and the process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.bench.processes import GATEWAY_CORE, ROOT, Child, answers, child, environment
from tests.bench.prompts import ENTITIES
from tests.rig import free_port

WARDGATE: tuple[str | Path, ...] = (ROOT / ".venv/bin/wardgate",)
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway, or whatever stands in for one. `keys` are by team."""

    child: Child
    url: str
    keys: Mapping[str, str]

    @property
    def chat(self) -> str:
        return self.url + CHAT


def _pii(entities: Sequence[str]) -> dict[str, Any]:
    return {"pii": {"languages": ["en"], "entities": list(entities)}}


WORDS = {"keywords": {"lists": {"projects": ["bluebird"]}, "patterns": {"ticket": "TCK-[0-9]{6}"}}}
PATTERNS = _pii([one for one in ENTITIES if one not in {"PERSON", "LOCATION"}])
TEAMS: Mapping[str, Mapping[str, Any]] = {
    "pass": {},
    "pii": _pii(ENTITIES),
    "patterns": PATTERNS,
    "keywords": WORDS,
    "toxicity": {"toxicity": {}},
    "everything": {**_pii(ENTITIES), **WORDS, "toxicity": {}, "obfuscation": {}},
}
"""The detectors of each team's policy: `pii` looks for seven entities, `patterns` for five of them."""
LABELS: Mapping[str, Sequence[str]] = {
    "pii": ["pii"],
    "keywords": ["keyword", "pattern"],
    "toxicity": ["toxicity"],
    "obfuscation": ["obfuscation"],
}


def policies(folder: Path, action: str) -> None:
    """One policy for each team, which does this to whatever is found."""
    folder.mkdir()
    for team, detectors in TEAMS.items():
        policy: dict[str, Any] = {
            "version": 1,
            "name": team,
            "description": "For the bench.",
            "applies_to": {"teams": [team]},
        }
        if detectors:
            policy["detectors"] = dict(detectors)
            labels = [label for name in detectors for label in LABELS[name]]
            policy["rules"] = [{"id": "all", "label": labels, "action": action}]
        (folder / f"{team}.yaml").write_text(yaml.safe_dump(policy))


def settings_file(
    upstream: str,
    home: Path,
    *,
    own_policies: bool = True,
    action: str = "redact",
    **settings: Any,
) -> tuple[Path, int]:
    """A `wardgate.yaml` in a new folder, and its port. The database is a file beside it."""
    home.mkdir()
    port = free_port()
    engine = {"engine": "openai", "base_url": upstream}
    document: dict[str, Any] = {
        "listen": f"127.0.0.1:{port}",
        "admin_listen": f"127.0.0.1:{free_port()}",
        "database": "sqlite:///wardgate.db",
        "models": {
            "chat": {**engine, "model": "mock"},
            "echo": {**engine, "model": "mock~script=echo"},
            "hundred": {**engine, "model": "mock~tokens=100"},
            "mock*": {**engine, "model": "*"},
        },
        "log_level": "warning",
        **settings,
    }
    if own_policies:
        policies(home / "policies", action)
    file = home / "wardgate.yaml"
    file.write_text(yaml.safe_dump(document))
    return file, port


@contextmanager
def gateway(
    name: str, upstream: str, folder: Path, teams: tuple[str, ...], **settings: Any
) -> Iterator[Gateway]:
    """`wardgate serve`, one worker, on the gateway's core, with a key for each team."""
    file, port = settings_file(upstream, folder / name, **settings)
    keys = {team: _key(team, file) for team in teams}
    command = [*WARDGATE, "serve", "--config", file]
    with child(name, command, GATEWAY_CORE, folder / name) as one:
        answers(f"http://127.0.0.1:{port}/readyz", one)
        yield Gateway(one, f"http://127.0.0.1:{port}", keys)


def _key(team: str, file: Path) -> str:
    made = subprocess.run(
        [*WARDGATE, "key", "create", "--team", team, "--config", file],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    )
    return made.stdout.strip()

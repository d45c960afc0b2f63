"""A whole gateway in a folder: settings, a policy that needs no weights, SQLite, no model."""

from __future__ import annotations

from pathlib import Path

from gateway.settings import Settings, load_settings

SETTINGS = """\
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
database: sqlite:///var/wardgate.db
data: var
policies: policies
models:
  chat: {engine: fake}
  "lab/*": {engine: fake}
teams:
  red: {models: [chat], requests_per_minute: 600, concurrent: 2}
  blue: {models: ["*"]}
"""
POLICY = """\
version: 1
name: house
applies_to: {}
detectors:
  keywords: {lists: {projects: [bluebird]}, patterns: {ticket: 'TCK-[0-9]{6}'}}
rules:
  - {id: project, label: keyword.projects, action: redact}
  - {id: ticket, label: pattern.ticket, action: block}
"""


def build(folder: Path, *, settings: str = SETTINGS, policy: str = POLICY) -> Path:
    """The settings file of a new gateway."""
    (folder / "policies").mkdir()
    (folder / "policies" / "house.yaml").write_text(policy, "utf-8")
    config = folder / "wardgate.yaml"
    config.write_text(settings, "utf-8")
    return config


def settings_of(config: Path) -> Settings:
    return load_settings(config, {})

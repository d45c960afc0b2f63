"""What goes to container engines, linted. None runs where this is built, so no more can be shown."""

import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
SCRIPTS = Path(sysconfig.get_path("scripts"))


def lint(*command: str | Path) -> None:
    """Run one of the venv's linters; what it complains of is the failure."""
    program, *rest = command
    done = subprocess.run([SCRIPTS / program, *rest], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def services() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml"])
def test_each_file_says_that_it_was_never_run(name: str) -> None:
    assert "never" in (DEPLOY / name).read_text("utf-8").split("\n")[0]


def test_hadolint_is_content() -> None:
    lint("hadolint", DEPLOY / "Dockerfile")


def test_hadolint_would_not_be_content(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp\n", "utf-8")

    with pytest.raises(pytest.fail.Exception, match="DL3006"):
        lint("hadolint", tmp_path / "Dockerfile")


def test_compose_follows_its_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_compose_reads_well() -> None:
    rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"

    lint("yamllint", "--strict", "-d", rules, DEPLOY / "compose.yaml")


@pytest.mark.parametrize("name", ["gateway", "database"])
def test_a_service_is_shut_in(name: str) -> None:
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_only_the_gateway_is_published_and_only_to_this_host() -> None:
    published = {name: service.get("ports", []) for name, service in services().items()}

    assert published.pop("database") == []
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_no_secret_is_written_down() -> None:
    for service in services().values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("${POSTGRES_PASSWORD:?")


def test_the_image_is_locked_unprivileged_and_watched() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")

    assert text.count("--require-hashes") == 2
    assert "USER 10001" in text.split("FROM ")[-1]
    assert "HEALTHCHECK" in text
    assert "/healthz" in text


def test_the_image_gets_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for line in (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert copied <= allowed
    assert [name for name in copied if not (ROOT / name).exists()] == []

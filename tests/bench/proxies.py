"""What Wardgate is measured beside: the bare relay (the floor) and LiteLLM's own proxy, if it is installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.bench.gateways import Gateway
from tests.bench.processes import GATEWAY_CORE, LOAD_CORE, ROOT, Child, answers, child, environment
from tests.rig import free_port

LITELLM = ROOT / ".venv-bench/bin/litellm"


@contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """The mock model server on the load's core; its base URL."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.model_server", "--port", str(port), "--no-keep"]
    with child("model-server", command, LOAD_CORE, folder) as one:
        answers(f"http://127.0.0.1:{port}/v1/models", one)
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def collector(folder: Path) -> Iterator[str]:
    """A stand-in for a collector of spans on the load's core; its endpoint."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.collector", str(port)]
    with child("collector", command, LOAD_CORE, folder) as one:
        answers(f"http://127.0.0.1:{port}/", one)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def bare_relay(upstream: str, folder: Path) -> Iterator[Gateway]:
    """The floor. It takes any key, since it looks at none."""
    port = free_port()
    target = upstream + "/chat/completions"
    command = [sys.executable, "-m", "tests.bench.bare_relay", str(port), target]
    with child("bare-relay", command, GATEWAY_CORE, folder) as one:
        yield _standing_in(one, port, "/")


@contextmanager
def litellm(upstream: str, folder: Path) -> Iterator[Gateway | None]:
    """LiteLLM's proxy, one worker, recording nothing; None where it is not installed."""
    if not LITELLM.is_file():
        yield None
        return
    compile_venv(LITELLM.parent.parent)
    port = free_port()
    model = {"model": "openai/mock", "api_base": upstream, "api_key": "none"}
    config = folder / "litellm.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "model_list": [{"model_name": "chat", "litellm_params": model}],
                "general_settings": {"master_key": "sk-bench"},
                "litellm_settings": {"telemetry": False},
            }
        )
    )
    command = [LITELLM, "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    env = environment(LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR")
    with child("litellm", [*command, "--num_workers", "1"], GATEWAY_CORE, folder, env) as one:
        yield _standing_in(one, port, "/health/liveliness")


def _standing_in(one: Child, port: int, probe: str) -> Gateway:
    url = f"http://127.0.0.1:{port}"
    answers(url + probe, one, within=180)
    return Gateway(one, url, {"pass": "sk-bench"})


def compile_venv(venv: Path) -> None:
    """Bytecode for all of a venv, once: a run without it measures the compiler."""
    libraries = next((venv / "lib").glob("python3*")) / "site-packages"
    stamp = venv / ".bench-compiled"
    if stamp.is_file() and stamp.stat().st_mtime > libraries.stat().st_mtime:
        return
    compiler = [venv / "bin/python", "-m", "compileall", "-q", "-j", "2", libraries]
    # A package may carry templates that are no Python, so a failure here tells nothing.
    subprocess.run(compiler, check=False, env=environment(), stdout=subprocess.DEVNULL)
    stamp.touch()

"""The rig of ../shared/rig: its mock model server and its load generator's HTTP client, by path."""

from __future__ import annotations

import functools
import importlib.util
import sys
from types import ModuleType

from tests.rig import SCRIPT

RIG = SCRIPT.parent


@functools.cache
def loadgen() -> ModuleType:
    return _module("loadgen")


@functools.cache
def mock_upstream() -> ModuleType:
    return _module("mock_upstream")


def _module(name: str) -> ModuleType:
    file = RIG / f"{name}.py"
    if not file.is_file():
        raise SystemExit(f"the rig is missing: {file}. Put shared/ beside the repository.")
    spec = importlib.util.spec_from_file_location(f"rig_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

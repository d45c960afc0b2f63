"""What holds for every test: how long property tests search, and that nothing asks the network."""

import os

import pytest
from hypothesis import HealthCheck, settings

_SLOW_MACHINE = (HealthCheck.too_slow,)

settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=_SLOW_MACHINE
)
settings.register_profile(
    "soak", deadline=None, max_examples=5_000, suppress_health_check=_SLOW_MACHINE
)
settings.load_profile("ci")

# Read by LiteLLM at import: without it, importing fetches a price list.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # noqa: TID251 - before anything imports litellm
os.environ["HF_HUB_OFFLINE"] = "1"  # noqa: TID251 - a test never asks the hub


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The gateway runs on asyncio alone."""
    return "asyncio"

"""One gateway with the shipped base policy, in front of the mock model server, for all clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.settings import shipped_policies
from tests.acceptance.running import running
from tests.clients.talking import POLICY, Talks, missing
from tests.rig import MockUpstream, mock_upstream_process

__all__ = ["mock_upstream_process"]


@pytest.fixture(scope="session")
def talks(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Talks]:
    if stamps := missing():
        pytest.fail(f"run make test: {', '.join(stamps)} missing")
    upstream = {"engine": "openai", "base_url": mock_upstream_process.base_url}
    models = {"mock": upstream, "mock~*": {**upstream, "model": "*"}}
    policies = {"base": (shipped_policies() / "base.yaml").read_text(), "clients": POLICY}
    with running(tmp_path_factory.mktemp("clients"), models, policies) as gateway:
        yield Talks(gateway, gateway.key(), mock_upstream_process)

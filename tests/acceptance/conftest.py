"""Journeys take the mock model server of ../shared/rig."""

from tests.rig import mock_upstream, mock_upstream_process

__all__ = ["mock_upstream", "mock_upstream_process"]

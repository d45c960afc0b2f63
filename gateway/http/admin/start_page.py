"""The first page: what runs here, which models answer, and which detectors look, with their versions.

Written with the standard library until the pages of review bring their templates; every value is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from types import MappingProxyType

import gateway
from gateway.wiring import Services

HEADERS = MappingProxyType(
    {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
)


def start_page(services: Services) -> str:
    """The page as HTML, without script or style."""
    models = ((alias, model.engine) for alias, model in services.settings.models.items())
    detectors = dict.fromkeys((one.name, one.version) for one in services.detectors)
    policies = (
        (one.force.policy.reference, one.force.policy.description)
        for one in services.relay.policies.policies
    )
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<title>Wardgate</title></head><body><main>",
            f"<h1>Wardgate {escape(gateway.__version__)}</h1>",
            f"<p>Inference at <code>http://{escape(str(services.settings.listen))}/v1</code>.</p>",
            _table("Models", ("name", "engine"), models),
            _table("Policies", ("policy", "what it is for"), policies),
            _table("Detectors", ("detector", "version and model"), detectors),
            '<p><a href="/metrics">Metrics</a> · <a href="/readyz">Ready?</a></p>',
            "</main></body></html>",
        )
    )


def _table(title: str, heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<table><caption>{escape(title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )

"""The start page says what runs here, and nothing on it is taken for markup."""

from __future__ import annotations

import re
from dataclasses import replace

import gateway
from gateway.core.ports import InForce
from gateway.http.admin.start_page import start_page
from tests.factories import make_force, make_relay
from tests.fakes import ScriptedDetector
from tests.http.edge import make_services

HOSTILE = "<script>alert('x')</script>&\"onload=\""


async def page(force: InForce | None = None) -> str:
    world = await make_relay(force=force or make_force())
    models = {
        "chat": {"engine": "fake"},
        HOSTILE: {"engine": "openai", "base_url": "http://10.0.0.1:9/v1"},
    }
    detectors = [ScriptedDetector("pii", version=f"presidio {HOSTILE}"), ScriptedDetector("tox")]
    return start_page(make_services(world, settings={"models": models}, detectors=detectors))


async def test_it_lists_version_models_policies_and_detectors() -> None:
    force = make_force()
    described = InForce(replace(force.policy, description="What it is for."), ())

    html = await page(described)

    for told in (
        f"<h1>Wardgate {gateway.__version__}</h1>",
        "http://127.0.0.1:8080/v1",
        "<td>chat</td><td>fake</td>",
        f"<td>{force.policy.reference}</td><td>What it is for.</td>",
        "<td>tox</td><td>1</td>",
        "<td>pii</td><td>presidio",
    ):
        assert told in html


async def test_every_value_is_escaped() -> None:
    force = make_force()
    hostile = InForce(replace(force.policy, name=HOSTILE, description=HOSTILE), ())

    html = await page(hostile)

    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4
    assert '"onload=' not in html


async def test_there_is_no_script_style_or_address_outside() -> None:
    html = await page()

    assert not re.search(r"<(script|style|link|img|iframe)|\son\w+=|\sstyle=", html)
    assert re.findall(r'(?:href|src)="([^"]*)"', html) == ["/metrics", "/readyz"]


async def test_where_a_model_is_reached_is_not_told() -> None:
    assert "10.0.0.1" not in await page()

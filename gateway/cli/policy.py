"""`wardgate policy`: is this policy valid, do its cases pass, which one holds and why.

Prints what the services say; decides nothing.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar

import anyio
import click

from gateway.cli._configuration import config_option, json_option, print_json, settings_of
from gateway.core.errors import InvalidDocument, Problem
from gateway.services.policies import Policies
from gateway.services.policy_cases import CaseResult
from gateway.services.policy_explaining import Explanation, explain
from gateway.settings import Settings

T = TypeVar("T")
Opener: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Policies]]
"""Opens the policy service; tests hand in their own as click's `obj`."""

_PATH = click.argument("path", type=click.Path(exists=True, path_type=pathlib.Path))


@click.group()
def policy() -> None:
    """Check, test and explain policies."""


@policy.command()
@_PATH
@config_option
@json_option
@click.pass_context
def check(
    ctx: click.Context, path: pathlib.Path, config: pathlib.Path | None, as_json: bool
) -> None:
    """Validate a policy file or folder; says file, line and how to mend. Runs no cases."""

    async def read(policies: Policies) -> tuple[list[str], tuple[Problem, ...]]:
        found = policies.read(path)
        return [each.force.policy.reference for each in found.policies], found.warnings

    try:
        valid, warnings = _with_policies(ctx, config, read)
    except InvalidDocument as error:
        _print_check([], error.problems, (), as_json=as_json)
        ctx.exit(1)
    _print_check(valid, (), warnings, as_json=as_json)


@policy.command()
@_PATH
@config_option
@json_option
@click.pass_context
def test(
    ctx: click.Context, path: pathlib.Path, config: pathlib.Path | None, as_json: bool
) -> None:
    """Run the cases that policies carry."""

    async def run(policies: Policies) -> tuple[CaseResult, ...]:
        return await policies.test(policies.read(path))

    try:
        results = _with_policies(ctx, config, run)
    except InvalidDocument as error:
        _print_check([], error.problems, (), as_json=as_json)
        ctx.exit(1)
    failed = [each for each in results if not each.passed]
    if as_json:
        rows = [_case_row(each) for each in results]
        print_json({"passed": len(results) - len(failed), "cases": rows})
    else:
        for each in failed:
            click.echo(str(each.problem))
            if each.became is not None:
                click.echo(f"    it became: {each.became}")
        click.echo(f"{len(results)} cases, {len(failed)} failed.")
    ctx.exit(1 if failed else 0)


@policy.command(name="explain")
@click.option("--team", required=True, help="The caller's team.")
@click.option("--model", required=True, help="The model as clients name it.")
@click.option("--route", default="openai.chat", show_default=True, help="The surface.")
@config_option
@json_option
@click.pass_context
def explain_command(
    ctx: click.Context,
    *,
    team: str,
    model: str,
    route: str,
    config: pathlib.Path | None,
    as_json: bool,
) -> None:
    """Say which policy holds for such a call, and why; exit 1 when none does."""
    folder = settings_of(config).policies

    async def read(policies: Policies) -> Explanation:
        return explain(policies.read(folder), team, model, route)

    found = _with_policies(ctx, config, read)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        _print_explanation(found)
    ctx.exit(0 if found.winner else 1)


def _with_policies(
    ctx: click.Context,
    config: pathlib.Path | None,
    use: Callable[[Policies], Coroutine[Any, Any, T]],
) -> T:
    settings = settings_of(config)
    opener: Opener = ctx.obj or _from_wiring

    async def run() -> T:
        async with opener(settings) as policies:
            return await use(policies)

    return anyio.run(run)


def _from_wiring(settings: Settings) -> AbstractAsyncContextManager[Policies]:
    from gateway.wiring import open_policies

    return open_policies(settings)


def _print_check(
    valid: list[str],
    problems: tuple[Problem, ...],
    warnings: tuple[Problem, ...],
    *,
    as_json: bool,
) -> None:
    if as_json:
        rows = {
            "policies": valid,
            "problems": [dataclasses.asdict(each) for each in problems],
            "warnings": [dataclasses.asdict(each) for each in warnings],
        }
        print_json(rows)
        return
    for each in problems:
        click.echo(str(each))
    for each in warnings:
        click.echo(f"warning: {each}")
    if valid:
        click.echo(f"Valid: {', '.join(valid)}.")


def _case_row(result: CaseResult) -> dict[str, Any]:
    place = result.written.place
    return {
        "policy": result.policy,
        "file": place.file,
        "line": place.line,
        "passed": result.passed,
        "expected": result.expected,
        "got": result.got,
        "became": result.became,
    }


def _print_explanation(found: Explanation) -> None:
    click.echo(f"Team {found.team}, model {found.model}, route {found.route}:")
    click.echo(f"  {found.winner} holds." if found.winner else "  no policy holds; calls get 403.")
    click.echo("Policies:")
    for one in found.candidates:
        click.echo(f"  {one.policy} ({one.file}): {one.why}")
    if found.winner is None:
        return
    click.echo("Rules, in order:")
    for rule in found.rules:
        about = ", ".join((*rule.labels, *(f"tool {name}" for name in rule.tools)))
        where = f"{rule.file}:{rule.line}" if rule.file else "implied: no rule speaks of failures"
        score = f" from {rule.min_score}" if rule.min_score else ""
        stages = " and ".join(rule.stages)
        click.echo(f"  {rule.id}: {rule.action} {about}{score} at {stages} ({where})")
    click.echo("Detectors:")
    for detector in found.detectors:
        wait = "not on answers"
        if detector.delay is not None:
            because = ", ".join(detector.because)
            wait = f"holds a stream back by up to {detector.delay} characters, for {because}"
        click.echo(f"  {detector.name} {detector.version}: {wait}")
    click.echo(f"Streams: {_bound_told(found)}")
    click.echo("Media, all else blocked:" if found.media else "Media: all blocked.")
    for media in found.media:
        click.echo(f"  {media.label}: {media.action} ({media.file}:{media.line})")


def _bound_told(found: Explanation) -> str:
    """What the whole policy costs a stream, on one line."""
    if found.bound is None:
        return "nothing waits; no detector looks at answers."
    slowest, because = ", ".join(found.bound.detectors), ", ".join(found.bound.because)
    return f"text waits for up to {found.bound.delay} characters, by {slowest}, for {because}."

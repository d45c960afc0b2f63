"""The `wardgate` command: every module beside this file is one command, loaded when asked.

Exits 0 when it did it, 1 when the thing checked is wrong, 2 on misuse.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import click

from gateway.core.errors import WardgateError


class Commands(click.Group):
    """A group that finds `wardgate x` in `gateway/cli/x.py`, under the name `x` or `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(
            module.name
            for module in pkgutil.iter_modules(__path__)
            if not module.name.startswith("_")
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        found = getattr(module, cmd_name, None) or getattr(module, "command", None)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            listed = ", ".join(self.list_commands(ctx))
            ctx.fail(f"There is no command {args[0]!r}. There are: {listed}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """What Wardgate refuses on purpose is a message and exit 1, without a traceback."""
        try:
            return super().invoke(ctx)
        except WardgateError as error:
            click.echo(error.message, err=True)
            ctx.exit(1)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wardgate")
def main() -> None:
    """Guard the calls to your own language models."""

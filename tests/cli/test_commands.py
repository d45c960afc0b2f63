"""The group itself: it finds its commands in files, and its exits mean what the contract says."""

import pkgutil

import click
import pytest
from click.testing import CliRunner

import gateway.cli
from gateway.cli import main
from gateway.core.errors import NotReady


def run(*arguments: str):
    return CliRunner().invoke(main, list(arguments))


def test_every_module_is_a_command():
    context = click.Context(main)
    modules = [module.name for module in pkgutil.iter_modules(gateway.cli.__path__)]
    names = [name for name in modules if not name.startswith("_")]
    assert {"policy", "init"} <= set(names)
    for name in names:
        assert isinstance(main.get_command(context, name), click.Command), name


def test_help_lists_them_all():
    done = run("--help")
    assert done.exit_code == 0
    assert "policy" in done.output
    assert "init" in done.output


def test_an_unknown_command_is_misuse_and_lists_those_there_are():
    done = run("polcy")
    assert done.exit_code == 2
    assert "policy" in done.output


def test_the_version_is_told():
    assert run("--version").exit_code == 0


def test_what_wardgate_refuses_is_a_message_and_exit_1(monkeypatch):
    @click.command()
    def refusing() -> None:
        raise NotReady("The weights are missing.")

    monkeypatch.setattr(type(main), "get_command", lambda *_: refusing)
    done = run("policy")
    assert (done.exit_code, done.stderr) == (1, "The weights are missing.\n")


def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    @click.command()
    def faulty() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(main), "get_command", lambda *_: faulty)
    with pytest.raises(ZeroDivisionError):
        CliRunner(catch_exceptions=False).invoke(main, ["policy"])

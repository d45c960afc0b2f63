import json
from contextlib import asynccontextmanager

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.core.windows import NUDGE
from tests.services.policy_fakes import service, written

GOOD = """version: 1
name: good
applies_to: {teams: [red]}
detectors: {pii: {}}
rules:
- {id: contact, label: pii.email_address, action: redact}
cases:
- {stage: input, text: to bob@x, action: redact, rule: contact}
"""


@asynccontextmanager
async def opened(_settings):
    yield service()


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str):
        return CliRunner().invoke(main, ["policy", *arguments], obj=opened)

    return invoke


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "policies").mkdir()
    return tmp_path / "policies"


def test_check_names_the_valid_policies(run, folder):
    done = run("check", str(written(folder, good=GOOD)))
    assert done.exit_code == 0
    assert done.stdout.startswith("Valid: good@")


def test_check_tells_file_line_and_mend_and_exits_1(run, folder):
    done = run("check", str(written(folder, good=GOOD + "prioriti: 1\n")))
    assert done.exit_code == 1
    file = folder / "good.yaml"
    assert done.stdout == f"{file}:9: `prioriti`: this key is not known. Did you mean `priority`?\n"


def test_check_tells_warnings_and_exits_0(run, folder):
    text = GOOD.replace("{pii: {}}", "{pii: {entities: [PERSON]}}")
    done = run("check", str(written(folder, good=text)))
    assert done.exit_code == 0
    assert "warning: " in done.stdout
    assert "good.yaml:6:" in done.stdout


def test_check_prints_data_when_asked(run, folder):
    done = run("check", "--json", str(written(folder, good=GOOD, bad="x: 1\n")))
    data = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [(row["line"], row["file"][-8:]) for row in data["problems"]] == [(4, "bad.yaml")]


def test_check_takes_one_file(run, folder):
    written(folder, good=GOOD, bad="x: 1\n")
    assert run("check", str(folder / "good.yaml")).exit_code == 0


def test_check_does_not_run_cases(run, folder):
    text = GOOD.replace("to bob@x, action: redact", "nobody, action: redact")
    assert run("check", str(written(folder, good=text))).exit_code == 0


def test_test_counts_the_cases(run, folder):
    done = run("test", str(written(folder, good=GOOD)))
    assert (done.exit_code, done.stdout) == (0, "1 cases, 0 failed.\n")


def test_test_tells_what_failed_and_exits_1(run, folder):
    text = GOOD + "- {stage: input, text: hi bob@x, action: redact, becomes: hi you}\n"
    done = run("test", str(written(folder, good=text)))
    assert done.exit_code == 1
    assert f"{folder / 'good.yaml'}:9: " in done.stdout
    assert "it became: hi <EMAIL_ADDRESS>" in done.stdout
    assert "2 cases, 1 failed." in done.stdout


def test_test_prints_data_when_asked(run, folder):
    done = run("test", "--json", str(written(folder, good=GOOD)))
    data = json.loads(done.stdout)
    assert data["passed"] == 1
    assert data["cases"][0]["line"] == 8


def test_test_exits_1_when_the_file_does_not_load(run, folder):
    done = run("test", str(written(folder, good="x: 1\n")))
    assert done.exit_code == 1
    assert "good.yaml:4:" in done.stdout


def test_explain_says_which_policy_holds_and_why(run, folder):
    written(folder, good=GOOD)
    done = run("explain", "--team", "red", "--model", "m")
    assert done.exit_code == 0
    for told in ("good@", "holds", "good.yaml:6", "detector-failed", "implied", "for contact"):
        assert told in done.stdout


def test_explain_says_in_one_line_what_the_policy_costs_a_stream(run, folder):
    written(folder, good=GOOD)
    done = run("explain", "--team", "red", "--model", "m")
    told = f"Streams: text waits for up to {20 + NUDGE + 7} characters, by pii, for contact.\n"
    assert told in done.stdout
    assert "Media: all blocked.\n" in done.stdout


def test_explain_says_that_nothing_waits_when_answers_are_not_looked_at(run, folder):
    written(folder, good=GOOD.replace("action: redact}", "action: redact, stage: input}"))
    done = run("explain", "--team", "red", "--model", "m")
    assert "Streams: nothing waits; no detector looks at answers.\n" in done.stdout


def test_explain_says_which_media_pass_and_where_that_is_written(run, folder):
    written(folder, good=GOOD + "media: {image/png: allow}\n")
    done = run("explain", "--team", "red", "--model", "m")
    assert "Media, all else blocked:\n  image.png: allow (" in done.stdout
    assert "good.yaml:9)" in done.stdout


def test_explain_exits_1_when_no_policy_holds(run, folder):
    written(folder, good=GOOD)
    done = run("explain", "--team", "blue", "--model", "m")
    assert done.exit_code == 1
    assert "no policy holds" in done.stdout
    assert "team `blue` is none of red" in done.stdout


def test_explain_reads_the_folder_of_the_settings_file(run, tmp_path, folder):
    written(folder, good=GOOD)
    (tmp_path / "w.yaml").write_text("policies: policies/\n")
    done = run("explain", "--team", "red", "--model", "m", "--json", "--config", "w.yaml")
    assert json.loads(done.stdout)["winner"].startswith("good@")


def test_broken_settings_are_told_with_their_line_and_exit_1(run, tmp_path, folder):
    (tmp_path / "wardgate.yaml").write_text("listne: 1\n")
    done = run("check", str(written(folder, good=GOOD)))
    assert done.exit_code == 1
    assert "wardgate.yaml:1: `listne`" in done.output


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("check", "nowhere"), ("explain", "--team", "x"), ("chekc", "x"), ("test", "--x")],
    ids=str,
)
def test_misuse_exits_2(run, arguments):
    assert run(*arguments).exit_code == 2

import pathlib

import pytest

from gateway.cli.init import SETTINGS
from gateway.core.errors import InvalidDocument
from gateway.settings import (
    Address,
    Model,
    Rates,
    Settings,
    Team,
    engine_key,
    environment,
    load_settings,
    shipped_policies,
)

CONTRACT = """
listen: 127.0.0.1:8080            # inference API
admin_listen: 127.0.0.1:8081
database: sqlite:///var/wardgate.db
data: var/
policies: policies/
models:
  chat:
    engine: openai
    base_url: http://127.0.0.1:9000/v1
    model: llama-3.1-8b-instruct
    catalogue: llama-3.1-8b-instruct
  "lab/*": {engine: openai, base_url: http://127.0.0.1:9001/v1, model: "*"}
  tiny: {engine: local, model: smollm2-135m}
  vllm: {engine: openai, base_url: http://127.0.0.1:9003/v1, extra: {top_k: integer, guided_json: text}}
  tgi:  {engine: litellm, model: huggingface/mistral-7b, base_url: http://127.0.0.1:9002}
teams:
  clinical: {models: [chat, "lab/*"], requests_per_minute: 600, concurrent: 32}
"""


@pytest.fixture
def here(tmp_path: pathlib.Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(folder: pathlib.Path, text: str, **environ: str) -> Settings:
    file = folder / "w.yaml"
    file.write_text(text, "utf-8")
    return load_settings(file, environ)


def problems(folder: pathlib.Path, text: str, **environ: str):
    with pytest.raises(InvalidDocument) as refused:
        load(folder, text, **environ)
    return refused.value.problems


def test_without_a_file_everything_is_embedded(here):
    settings = load_settings(None, {})
    assert settings.models == {"chat": Model(engine="local", model="smollm2-135m")}
    assert settings.database == f"sqlite:///{here}/var/wardgate.db"
    assert settings.data == here / "var"
    assert settings.policies == shipped_policies()
    assert settings.teams is None
    assert str(settings.listen) == "127.0.0.1:8080"


def test_a_policy_folder_of_ones_own_goes_before_the_shipped_one(here):
    (here / "policies").mkdir()
    assert load_settings(None, {}).policies == here / "policies"


def test_a_policy_folder_that_is_written_but_not_there_is_not_replaced(here):
    assert load(here, "policies: mine/\n").policies == here / "mine"


def test_wardgate_yaml_is_read_where_one_stands(here):
    (here / "wardgate.yaml").write_text("log_level: debug\n")
    assert load_settings(None, {}).log_level == "debug"


def test_the_contracts_example_is_read_as_it_stands(here):
    settings = load(here, CONTRACT)
    assert settings.models["lab/*"].model == "*"
    assert settings.models["vllm"].extra == {"top_k": "integer", "guided_json": "text"}
    assert settings.teams == {
        "clinical": Team(models=("chat", "lab/*"), requests_per_minute=600, concurrent=32)
    }


def test_what_init_writes_is_the_defaults(here):
    written = load(here, SETTINGS)
    (here / "policies").mkdir()
    assert written == load_settings(None, {})


def test_every_default_that_init_shows_is_the_default(here):
    shown = [line.removeprefix("# ") for line in SETTINGS.splitlines()]
    known = ("limits:", "upstream:", "telemetry:", "scan_cache_bytes:", "log_level:")
    text = "\n".join(line for line in shown if line.startswith(known))
    assert len(text.splitlines()) == len(known)
    (here / "policies").mkdir()
    assert load(here, text) == load_settings(None, {})


def test_paths_start_at_the_files_own_folder(here, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    text = "data: d\nmodels: {m: {engine: openai, base_url: http://h/v1, api_key_file: k}}\n"
    settings = load(elsewhere, text)
    assert settings.data == elsewhere / "d"
    assert settings.models["m"].api_key_file == elsewhere / "k"
    assert settings.database == f"sqlite:///{elsewhere}/var/wardgate.db"


def test_absolute_paths_and_servers_stay_as_they_are(here):
    settings = load(here, "database: postgresql://u@h/db\ndata: /srv/wardgate\n")
    assert settings.database == "postgresql://u@h/db"
    assert settings.data == pathlib.Path("/srv/wardgate")
    assert load(here, "database: sqlite:////srv/w.db\n").database == "sqlite:////srv/w.db"


def test_the_environment_goes_before_the_file(here):
    settings = load(
        here,
        CONTRACT,
        WARDGATE_LISTEN="[::1]:9",
        WARDGATE_DATABASE="postgresql://h/db",
        WARDGATE_LIMITS__BODY_BYTES="1MiB",
        WARDGATE_MODELS__CHAT__MODEL="7",
        WARDGATE_TEAMS__CLINICAL__PER_KEY="{concurrent: 2}",
    )
    assert settings.listen == Address("::1", 9)
    assert settings.database == "postgresql://h/db"
    assert settings.limits.body_bytes == 1024**2
    assert settings.models["chat"].model == "7"
    assert settings.teams is not None
    assert settings.teams["clinical"].per_key == Rates(concurrent=2)


@pytest.mark.parametrize(
    ("text", "line", "what", "mend"),
    [
        ("listne: 1\n", 1, "`listne`", "`listen`"),
        ("models:\n  chat: {engine: local, modle: x}\n", 2, "modle", "`model`"),
        ("models:\n  chat: {engine: opnai}\n", 2, "opnai", "`openai`"),
        ("models: {}\n", 1, "`models`", "Fill it in"),
        ("models:\n  m: {engine: openai}\n", 2, "needs a base_url", "base_url"),
        ("models:\n  m: {engine: litellm, model: x}\n", 2, "needs a base_url", "base_url"),
        ("models:\n  m: {engine: local, base_url: http://h}\n", 2, "calls no server", "base_url"),
        ("models:\n  m: {engine: openai, base_url: h:9}\n", 2, "expected a URL", "http://"),
        ("models:\n  m: {engine: openai, base_url: 'http://k:s@h'}\n", 2, "no key", "api_key_file"),
        ("models:\n  m: {engine: fake, extra: {a: number, b: str}}\n", 2, "extra.b", "Known here"),
        ("limits:\n  dept: 3\n", 2, "`limits.dept`", "`depth`"),
        ("limits:\n  depth: 0\n", 2, "at least 1", ""),
        ("upstream:\n  connect: 3\n", 2, "expected a duration", "`30s`"),
        ("\nadmin_listen: 0.0.0.0:8080\n", 2, "port of `listen`", "another port"),
        ("listen: '8080'\n", 1, "expected host:port", "127.0.0.1:8080"),
        ("listen: a:70000\n", 1, "expected host:port", ""),
        ("database: mysql://h\n", 1, "expected a database URL", "postgresql://"),
        ("teams:\n  a: {models: [chatt]}\n", 2, "names no model", "`chat`"),
        ("teams:\n  a: {per_key: {concurent: 1}}\n", 2, "concurent", "`concurrent`"),
        ("teams:\n  'a b': {}\n", 2, "expected a name", ""),
        ("log_level: loud\n", 1, "got loud", "`info`"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_how_to_mend_it(here, text, line, what, mend):
    (found,) = problems(here, text)
    assert (found.file, found.line) == (str(here / "w.yaml"), line)
    assert what in found.what
    assert mend in found.mend


def test_two_sources_of_a_key_are_refused(here):
    text = "models: {m: {engine: openai, base_url: http://h, api_key_env: A, api_key_file: b}}\n"
    assert "two sources" in problems(here, text)[0].what


def test_ports_that_the_machine_chooses_may_both_be_0(here):
    assert load(here, "listen: h:0\nadmin_listen: h:0\n").listen.port == 0


def test_an_unknown_variable_is_refused(here):
    (found,) = problems(here, "", WARDGATE_LISTN="x")
    assert "`WARDGATE_LISTEN`" in found.mend


def test_a_password_in_a_url_is_neither_echoed_nor_shown(here):
    secret = "canary-pw"
    assert secret not in str(problems(here, f"database: mysql://u:{secret}@h/d\n"))
    assert secret not in repr(load(here, f"database: postgresql://u:{secret}@h/d\n"))


def test_settings_do_not_change(here):
    with pytest.raises(ValueError):
        load_settings(None, {}).log_level = "debug"


def test_a_models_own_timeouts_go_before_the_general_ones(here):
    text = "upstream: {connect: 9s}\nmodels: {m: {engine: fake, timeouts: {total: 5m}}}\n"
    settings = load(here, text)
    waits = settings.models["m"].waits(settings.upstream)
    assert (waits.connect, waits.total, waits.first_byte) == (9, 300, 180)


def _remote(**keys) -> Model:
    return Model(engine="openai", base_url="http://h", **keys)


def test_an_engines_key_comes_from_its_file_or_variable(tmp_path):
    (tmp_path / "k").write_text("s3cret\n")
    assert engine_key(_remote(api_key_file=tmp_path / "k"), {}) == "s3cret"
    assert engine_key(_remote(api_key_env="K"), {"K": "other"}) == "other"
    assert engine_key(_remote(), {}) is None


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff", None])
def test_a_key_that_cannot_be_read_is_a_problem(tmp_path, content):
    if content is not None:
        (tmp_path / "k").write_bytes(content)
    with pytest.raises(InvalidDocument):
        engine_key(_remote(api_key_file=tmp_path / "k"), {})
    with pytest.raises(InvalidDocument, match="K is not set"):
        engine_key(_remote(api_key_env="K"), {})


def test_the_environment_is_a_copy():
    first = dict(environment())
    assert first == environment()
    assert "PATH" in first


def test_the_shipped_policies_are_there():
    assert (shipped_policies() / "base.yaml").is_file()

import stat

from click.testing import CliRunner

from gateway.cli import main
from gateway.settings import load_settings, shipped_policies


def run(*arguments: str):
    return CliRunner().invoke(main, ["init", *arguments])


def test_init_writes_settings_that_load_and_the_shipped_policies(tmp_path):
    done = run(str(tmp_path / "new"))
    assert done.exit_code == 0
    settings = load_settings(tmp_path / "new" / "wardgate.yaml", {})
    assert settings.policies == tmp_path / "new" / "policies"
    for pack in shipped_policies().glob("*.yaml"):
        assert (settings.policies / pack.name).read_bytes() == pack.read_bytes()


def test_init_overwrites_nothing(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "base.yaml").write_text("mine")
    done = run(str(tmp_path))
    assert done.exit_code == 1
    assert "base.yaml exists already" in done.output
    assert (tmp_path / "policies" / "base.yaml").read_text() == "mine"
    assert not (tmp_path / "wardgate.yaml").exists()


def test_init_keeps_policies_that_have_other_names(tmp_path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.yaml").write_text("mine")
    assert run(str(tmp_path)).exit_code == 0
    assert (tmp_path / "policies" / "own.yaml").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    assert run(str(tmp_path / "file")).exit_code == 2
    done = run(str(tmp_path / "file" / "below"))
    assert done.exit_code in {1, 2}
    assert "Traceback" not in done.output


def test_what_init_writes_is_readable_by_its_owner(tmp_path):
    run(str(tmp_path / "new"))
    assert (tmp_path / "new" / "wardgate.yaml").stat().st_mode & stat.S_IRUSR


def test_init_without_a_folder_is_misuse():
    assert run().exit_code == 2

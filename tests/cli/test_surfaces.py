"""`wardgate surfaces` prints the censuses, whole, with how many fields meet each fate."""

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.core.model import Kind
from gateway.surfaces.census import (
    BASE64,
    FATES,
    Blob,
    Flag,
    Object,
    Refused,
    Row,
    Text,
    fates,
    rows,
)
from gateway.wiring import surfaces


@dataclass(frozen=True)
class Declared:
    census: Object


PICTURE = Object({"data": Blob(BASE64)}, media="image")
KNOWN = {
    "a.one": Declared(
        Object({"text": Text(Kind.TEXT), "loud": Flag(), "tools": Refused("too sharp")})
    ),
    "b.two": Declared(Object({"said": Text(Kind.REASONING), "shown": PICTURE})),
}


def run(*arguments: str, known=KNOWN):
    return CliRunner().invoke(main, ["surfaces", *arguments], obj=lambda: known)


def test_every_surface_is_a_table_of_path_fate_and_detail():
    done = run()
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "a.one: 3 fields: 1 guarded, 1 typed, 0 by policy, 1 refused.",
        "  text   guarded    text",
        "  loud   typed      true or false",
        "  tools  refused    too sharp",
        "",
        "b.two: 3 fields: 1 guarded, 1 typed, 1 by policy, 0 refused.",
        "  said        guarded    reasoning",
        "  shown       by policy  media.image",
        "  shown.data  typed      base64 data",
        "",
        "2 surfaces: 6 fields: 2 guarded, 2 typed, 1 by policy, 1 refused.",
    ]


def test_one_surface_can_be_asked_for():
    done = run("--surface", "b.two")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].startswith("b.two: 3 fields")
    assert done.stdout.splitlines()[-1] == "  shown.data  typed      base64 data"


def test_a_surface_that_does_not_exist_is_misuse_and_the_others_are_listed():
    done = run("--surface", "c.three")
    assert done.exit_code == 2
    assert "There are: a.one, b.two." in done.stderr


def test_data_is_printed_when_asked():
    told = json.loads(run("--json").stdout)
    one, two = told["surfaces"]
    assert (one["surface"], two["surface"]) == ("a.one", "b.two")
    assert one["counts"] == {"guarded": 1, "typed": 1, "by policy": 0, "refused": 1}
    assert one["fields"][2] == {"path": "tools", "fate": "refused", "detail": "too sharp"}
    assert told["counts"] == {"guarded": 2, "typed": 2, "by policy": 1, "refused": 1}


def test_without_fields_there_is_an_empty_table():
    assert "x: 0 fields" in run(known={"x": Declared(Object({}))}).stdout


@pytest.mark.parametrize("name", sorted(surfaces()))
def test_a_real_surface_is_printed_with_every_field(name):
    done = CliRunner().invoke(main, ["surfaces", "--surface", name, "--json"])
    (told,) = json.loads(done.stdout)["surfaces"]
    table = list(rows(surfaces()[name].census))
    assert [Row(**row) for row in told["fields"]] == table
    assert sum(fates(table).values()) == len(table), f"a fate that is none of {FATES}"

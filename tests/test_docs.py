"""Every setting, error, command, detector and label is in the docs, and every link leads somewhere."""

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from gateway.detectors.toxicity import detector as toxicity
from gateway.wiring import surfaces
from tests import reference

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)")


def docs() -> dict[str, str]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in pages}


def dead_links(pages: dict[str, str]) -> Iterator[str]:
    for page, text in pages.items():
        for target in LINK.findall(text):
            if not (ROOT / page).parent.joinpath(target).exists():
                yield f"{page}: {target}"


def test_the_reference_was_made_from_this_code() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.page(), "run `make fix`"


def test_the_tables_of_fields_were_made_from_this_code() -> None:
    assert reference.CENSUS.read_text("utf-8") == reference.census(), "run `make fix`"


def test_every_surface_is_explained_and_has_its_table() -> None:
    explained = (ROOT / "docs" / "surfaces.md").read_text("utf-8")
    tables = reference.census()

    assert [name for name in surfaces() if f"\n## {name}\n" not in tables] == []
    assert [name for name in surfaces() if f"\n## {name}\n" not in explained] == []
    assert "| `messages[]<user>.content` | guarded | text |" in tables


def test_the_openapi_document_was_made_from_this_code() -> None:
    assert reference.OPENAPI.read_bytes() == reference.openapi(), "run `make fix`"


def test_the_reference_knows_every_kind_of_thing() -> None:
    page = reference.page()

    assert "`models.<name>.base_url`" in page
    assert "`unknown_key`" in page
    assert "`wardgate policy check" in page


def test_no_link_is_dead() -> None:
    assert not list(dead_links(docs()))
    assert list(dead_links({"README.md": "[x](docs/nowhere.md)"}))


def test_every_detector_and_label_has_its_line() -> None:
    page = (ROOT / "docs" / "detectors.md").read_text("utf-8")
    known = [*detectors(), *(f"toxicity.{label}" for label in toxicity.LABELS)]

    assert [name for name in known if f"`{name}`" not in page] == []


def detectors() -> list[str]:
    """What stands in `gateway/detectors`, less what builds detectors and the threads they run on."""
    modules = pkgutil.iter_modules([str(ROOT / "gateway" / "detectors")])
    return [module.name for module in modules if module.name not in {"lane", "source"}]

"""The worlds as fixtures. PostgreSQL starts once for each test process, and only if a test wants it."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Postgres, postgres
from tests.store.worlds import FakeWorld, SqlWorld, sql_world


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the kind that the test's parameter names."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_server").empty()
    return f"sqlite:///{tmp_path}/var/wardgate.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`world` runs in memory, on SQLite and on PostgreSQL; `sql` on the last two."""
    if "world" in metafunc.fixturenames:
        metafunc.parametrize("world_kind", ["fake", "sqlite", "postgres"])
    elif "sql" in metafunc.fixturenames:
        metafunc.parametrize("sql_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
async def sql(sql_url: str, tmp_path: Path) -> AsyncGenerator[SqlWorld, None]:
    async with sql_world(sql_url, tmp_path / "var") as world:
        yield world


@pytest.fixture
async def world(
    world_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncGenerator[Any, None]:
    match world_kind:
        case "fake":
            yield FakeWorld()
            return
        case "postgres":
            url = request.getfixturevalue("postgres_server").empty()
        case _:
            url = f"sqlite:///{tmp_path}/var/wardgate.db"
    async with sql_world(url, tmp_path / "var") as found:
        yield found

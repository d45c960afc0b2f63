"""One small checkpoint, exported once, and the two kinds of model as engines."""

from pathlib import Path

import pytest

from gateway.detectors.toxicity import embedded, exported
from gateway.detectors.toxicity.checkpoint import Source
from gateway.detectors.toxicity.detector import Engine
from gateway.detectors.toxicity.export import Added, add
from tests.detoxify_checkpoint import Made, make_checkpoint


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def added(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Added:
    source = Source(made.checkpoint, made.config, "tiny")
    data = tmp_path_factory.mktemp("data")
    return add(source, data, texts=(), precision="int8", bound=0.05)


@pytest.fixture(scope="session")
def detoxify_model(added: Added) -> exported.ExportedModel:
    model = exported.load(added.folder)
    assert model
    return model


@pytest.fixture(scope="session")
def embedded_model() -> embedded.EmbeddedModel:
    return embedded.load()


@pytest.fixture(params=["embedded_model", "detoxify_model"])
def engine(request: pytest.FixtureRequest):
    engine = Engine(request.getfixturevalue(request.param))
    yield engine
    engine.close()


@pytest.fixture
def folder(added: Added, tmp_path: Path) -> Path:
    """A copy of the added model, to be spoilt."""
    for file in added.folder.rglob("*"):
        if file.is_file():
            copy = tmp_path / file.relative_to(added.folder)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(file.read_bytes())
    return tmp_path

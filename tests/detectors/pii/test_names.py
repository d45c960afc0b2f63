"""spaCy's NER alone: its names are those of the full pipeline, and its weights the reviewed ones."""

import shutil

import pytest

from gateway.core.errors import NotReady
from gateway.detectors.pii.hits import Hit
from gateway.detectors.pii.names import WEIGHTS, Names, check, weights_folder
from gateway.detectors.pii.options import PiiOptions
from tests.detectors.pii.samples import NAMED, hits, labelled

SENTENCES = (
    "Maria Garcia, who lives in Madrid, wrote to Acme Corp. last Tuesday.",
    "John Smith from Berlin met three Americans at noon.",
    "nothing to see",
    "",
)


@pytest.fixture(scope="module")
def names(workshop, stock) -> Names:
    return workshop.build(PiiOptions(entities=NAMED)).names


def test_names_are_found_without_tagger_parser_or_lemmatizer(names) -> None:
    assert names._nlp.pipe_names == ["ner"]
    first, *_ = names.look([SENTENCES[0]], frozenset(NAMED))
    assert Hit("PERSON", 0, 12, 0.85) in first
    assert Hit("LOCATION", 27, 33, 0.85) in first


def test_only_the_wanted_entities_are_reported(names) -> None:
    (found,) = names.look([SENTENCES[0]], frozenset({"PERSON"}))
    assert {hit.entity for hit in found} == {"PERSON"}


def test_names_are_those_of_the_full_pipeline_within_a_sentence(workshop, stock) -> None:
    """The parser, which is left out, only keeps a name from running over a sentence's end."""
    detector = workshop.build(PiiOptions(entities=NAMED))
    texts = [text for text in labelled(every=30, most=600) if text.isascii()] or list(SENTENCES)
    different = 0
    for text in texts:
        mine, theirs = hits(detector, text), stock(text, NAMED, 0.4)
        different += mine != theirs
    assert different <= len(texts) * 0.02


def test_a_names_neighbours_in_the_batch_do_not_change_it(names) -> None:
    texts = [*SENTENCES, *labelled(every=80)]
    wanted = frozenset(NAMED)
    together = names.look(texts, wanted)
    alone = [names.look([text], wanted)[0] for text in texts]
    backwards = names.look(texts[::-1], wanted)[::-1]
    assert together == alone == backwards


def test_spacy_forgets_the_words_that_it_has_read(names) -> None:
    before = len(names._nlp.vocab.strings)
    names.look(["Zebracanary7782 Jones lives in Madrid."], frozenset(NAMED))
    assert "Zebracanary7782" not in names._nlp.vocab.strings
    assert len(names._nlp.vocab.strings) == before


def test_the_installed_weights_are_the_reviewed_ones() -> None:
    check(weights_folder())


def test_changed_or_missing_weights_are_refused_by_name(tmp_path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    check(folder)
    model = folder / "ner" / "model"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    with pytest.raises(NotReady, match=r"ner/model is not the reviewed one: sha256 [0-9a-f]{64}"):
        check(folder)
    model.unlink()
    with pytest.raises(NotReady, match=r"ner/model is missing"):
        check(folder)


def test_every_file_that_loading_reads_is_checked() -> None:
    unused = ("tagger", "parser", "senter", "tok2vec", "lemmatizer", "attribute_ruler")
    folder = weights_folder()
    read = {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and file.relative_to(folder).parts[0] not in unused
    }
    assert read - {"LICENSE", "LICENSES_SOURCES", "README.md", "accuracy.json"} == set(WEIGHTS)


def test_names_are_looked_for_on_one_thread(names) -> None:
    """Lanes are what runs side by side; a BLAS with threads of its own would fight them."""
    from threadpoolctl import threadpool_info  # noqa: PLC0415 - after numpy is loaded

    names.look([SENTENCES[0]], frozenset(NAMED))
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]

    assert blas
    assert {library["num_threads"] for library in blas} == {1}

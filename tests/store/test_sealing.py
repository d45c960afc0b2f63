"""Sealed is unreadable, bound to its place, and opened by one key alone."""

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidDocument
from gateway.store.sealing import AesSealer, KeyFiles, Unsealable, key_fingerprint

SEALER = AesSealer(b"k" * 32)


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8"), max_size=30))
def test_what_is_sealed_opens_again(plain: bytes, place: str) -> None:
    assert SEALER.unseal(SEALER.seal(plain, bound_to=place), bound_to=place) == plain


@given(st.binary(min_size=8, max_size=100))
def test_nothing_of_the_plain_text_shows(plain: bytes) -> None:
    assert plain not in SEALER.seal(plain, bound_to="here")


def test_equal_texts_are_sealed_differently() -> None:
    assert SEALER.seal(b"same", bound_to="x") != SEALER.seal(b"same", bound_to="x")


def test_it_opens_in_its_own_place_alone() -> None:
    sealed = SEALER.seal(b"secret", bound_to="review/1/parts")

    with pytest.raises(Unsealable):
        SEALER.unseal(sealed, bound_to="review/2/parts")


def test_another_key_does_not_open_it() -> None:
    sealed = SEALER.seal(b"secret", bound_to="x")

    with pytest.raises(Unsealable) as caught:
        AesSealer(b"o" * 32).unseal(sealed, bound_to="x")
    assert "secret" not in str(caught.value)


@given(st.data())
def test_any_damage_is_seen(data: st.DataObject) -> None:
    sealed = bytearray(SEALER.seal(b"secret", bound_to="x"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Unsealable):
        SEALER.unseal(bytes(sealed), bound_to="x")


@given(st.integers(0, 94))
def test_a_piece_does_not_open(length: int) -> None:
    sealed = SEALER.seal(b"secret", bound_to="x")

    with pytest.raises(Unsealable):
        SEALER.unseal(sealed[:length], bound_to="x")


def test_a_sealer_does_not_show_its_key() -> None:
    assert "kkkk" not in repr(SEALER)


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "data" / "keys")

    first = files.secret("api-key-pepper")

    assert len(first) == 32
    assert files.secret("api-key-pepper") == first
    assert files.secret("commitments") != first
    made = tmp_path / "data" / "keys" / "api-key-pepper"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert sorted(path.name for path in made.parent.iterdir()) == ["api-key-pepper", "commitments"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    files = KeyFiles(tmp_path)
    files.secret("kek")
    (tmp_path / "kek").chmod(mode)

    with pytest.raises(InvalidDocument, match="chmod 600"):
        files.secret("kek")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "kek"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)

    with pytest.raises(InvalidDocument, match="32 bytes"):
        KeyFiles(tmp_path).secret("kek")


@pytest.mark.parametrize("name", ["", "../kek", "Kek", "a/b", ".kek", "x" * 64])
def test_a_secret_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        KeyFiles(tmp_path).secret(name)


def test_a_secret_that_was_never_made_does_not_exist(tmp_path: Path) -> None:
    assert KeyFiles(tmp_path).existing("kek") is None
    assert list(tmp_path.iterdir()) == []


def test_replicas_that_start_together_agree_on_a_secret(tmp_path: Path) -> None:
    files, seen = KeyFiles(tmp_path), set[bytes]()
    start = threading.Barrier(8)

    def replica() -> None:
        start.wait()
        seen.add(files.secret("kek"))

    threads = [threading.Thread(target=replica) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "kek"]


def test_a_fingerprint_names_a_key_and_hides_it() -> None:
    assert key_fingerprint(b"a" * 32) != key_fingerprint(b"b" * 32)
    assert "61616161" not in key_fingerprint(b"a" * 32)

"""Encryption at rest: payloads sealed by AES-256-GCM, and the key files they rest on.

Imports `cryptography`, as only `signing.py` beside it may. No key and no plain text is ever in an
error or a log.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.core.errors import InvalidDocument, Problem

KEY_BYTES = 32
_NONCE_BYTES = 12
_WRAPPED_BYTES = KEY_BYTES + 16
_FORM = b"\x01"
"""The first byte of everything sealed: how it is laid out."""
_HEAD = len(_FORM) + _NONCE_BYTES + _WRAPPED_BYTES + _NONCE_BYTES
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class Unsealable(ValueError):
    """This was not sealed here, for this place, or is damaged."""


@dataclass(frozen=True, slots=True, repr=False)
class AesSealer:
    """`Sealer`: a fresh key for each payload, wrapped by the key-encryption key `kek` (32 bytes).

    Layout: form, nonce, wrapped key, nonce, sealed payload. Both layers are bound to the place that
    the payload is for, so a row moved to another row does not open.
    """

    kek: bytes

    def seal(self, plain: bytes, *, bound_to: str) -> bytes:
        key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        wrap_nonce, nonce = os.urandom(_NONCE_BYTES), os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(self.kek).encrypt(wrap_nonce, key, _bind("key", bound_to))
        sealed = AESGCM(key).encrypt(nonce, plain, _bind("payload", bound_to))
        return b"".join((_FORM, wrap_nonce, wrapped, nonce, sealed))

    def unseal(self, sealed: bytes, *, bound_to: str) -> bytes:
        """Raise Unsealable when it is damaged, or bound to another place, or to another key."""
        if not sealed.startswith(_FORM) or len(sealed) < _HEAD:
            raise Unsealable(_first_line(Unsealable))
        wrap_nonce = sealed[1:13]
        wrapped = sealed[13 : 13 + _WRAPPED_BYTES]
        nonce = sealed[_HEAD - _NONCE_BYTES : _HEAD]
        try:
            key = AESGCM(self.kek).decrypt(wrap_nonce, wrapped, _bind("key", bound_to))
            return AESGCM(key).decrypt(nonce, sealed[_HEAD:], _bind("payload", bound_to))
        except InvalidTag:
            raise Unsealable(_first_line(Unsealable)) from None


def _bind(layer: str, bound_to: str) -> bytes:
    return f"wardgate/sealed/1/{layer}\0{bound_to}".encode()


def _first_line(error: type[Exception]) -> str:
    return (error.__doc__ or "").strip()


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """`Secrets`: 32 random bytes for each name, in a file of its own that only its owner may read.

    They are made at first use. Replicas of one database need the same files.
    """

    folder: Path

    def secret(self, name: str) -> bytes:
        """The secret of this name (lower case, digits, hyphens). Raise InvalidDocument."""
        path = self._path(name)
        if not path.exists():
            _create(path)
        return _read(path)

    def existing(self, name: str) -> bytes | None:
        """The secret of this name, if it was made already. Raise InvalidDocument."""
        path = self._path(name)
        return _read(path) if path.exists() else None

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a secret's name is lower-case letters, digits and hyphens")
        return self.folder / name


def key_fingerprint(key: bytes) -> str:
    """Names a key without telling it: for comparing, never for deriving."""
    return hashlib.sha256(b"wardgate/key-fingerprint\0" + key).hexdigest()


def _create(path: Path) -> None:
    """Write a new key under another name, then link it: never half a key, never two keys."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        key = file.read(KEY_BYTES + 1)
    if mode & 0o077:
        raise _wrong(path, "others than its owner may read or write this key.", "chmod 600 it.")
    if len(key) != KEY_BYTES:
        raise _wrong(path, f"a key is {KEY_BYTES} bytes.", "Restore it from a backup.")
    return key


def _wrong(path: Path, what: str, mend: str) -> InvalidDocument:
    return InvalidDocument((Problem(str(path), 1, what, mend),))

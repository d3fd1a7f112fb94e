"""Encrypt secrets at rest with the `cryptography` package's Fernet (AES-128-CBC with HMAC-SHA256)."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from candu_source.errors import SecretUnreadable
from candu_source.model import Secret


class Vault:
    """Turn secrets into bytes for the store and back."""

    def __init__(self, key: Secret) -> None:
        self._key = key.reveal().replace("+", "-").replace("/", "_").encode()
        self._fernet = Fernet(self._key)

    def seal(self, secret: Secret) -> bytes:
        """Return the encrypted form."""
        return self._fernet.encrypt(secret.reveal().encode())

    def open(self, sealed: bytes) -> Secret:
        """Return the secret; raise SecretUnreadable when it was sealed with another key."""
        try:
            return Secret(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            raise SecretUnreadable(
                "a stored write key was encrypted with another secret key; set CANDU_SOURCE_SECRET_KEY to that one"
            ) from None

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes that only this key and this purpose give (HKDF-SHA256)."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(self._key)

    def opens(self, sealed: bytes) -> bool:
        """Tell whether it decrypts."""
        try:
            self._fernet.decrypt(sealed)
        except InvalidToken:
            return False
        return True


def key_beside(store: Path) -> tuple[Secret, bool]:
    """Return the key kept beside the store file and whether it was made just now, readable by its owner only."""
    path = store.with_name(store.name + ".key")
    store.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    made = False
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # whoever comes first wins; everybody reads the same key
            made = True
        except FileExistsError:
            made = False
        finally:
            draft.unlink()
    return Secret(path.read_text("ascii").strip()), made

"""Read where a PostgreSQL server is from what people write, and say how to get there, and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from candu_source.destinations.egress import PrivateAddress, public_addresses
from candu_source.errors import UsageError, WarehouseError
from candu_source.model import Secret

_WORDS = frozenset({"host", "port", "dbname", "user", "password", "sslmode"})
_HOST = re.compile(r"[A-Za-z0-9._:%-]+|/[^,@]*")
_PORT = "5432"
_OFF = "write it as postgresql://user:password@host:5432/database, with @ : / and % of a password as %40 %3A %2F and %25"
_ALLOW = "CANDU_SOURCE_ALLOW_PRIVATE_ADDRESSES allows it"

# Whatever else libpq would look up by itself belongs to whoever runs this service, and not to a customer's server.
_OURS = {
    "application_name": "candu-source",
    "client_encoding": "utf8",
    "passfile": os.devnull,
    "gssencmode": "disable",
    "sslcertmode": "disable",
    "connect_timeout": "10",
    # A server that no longer answers is given up after about a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Hold a server's place: a host name, an address or the folder of a socket; database, user, and how the line is encrypted."""

    host: str
    port: str
    database: str
    user: str
    password: Secret
    sslmode: str

    @classmethod
    def read(cls, text: str) -> Server:
        """Read a URL or `key=value` words; raise UsageError, which never repeats them: a password may stand anywhere."""
        words = _words_in(text)
        if not words:
            raise UsageError(f"the address of the PostgreSQL server cannot be read: {_OFF}")
        if unknown := words.keys() - _WORDS:
            raise UsageError(
                f"the address of the PostgreSQL server takes {', '.join(sorted(_WORDS))}, and not {', '.join(sorted(unknown))}"
            )
        host, port = words.get("host", ""), words.get("port", _PORT)
        # An @ left in host or database was part of a password.
        if not (_HOST.fullmatch(host) and port.isascii() and port.isdecimal() and words.get("user")) or "@" in words.get("dbname", ""):
            raise UsageError(f"the address of the PostgreSQL server needs one host, a port in digits and a user: {_OFF}")
        database = words.get("dbname", words["user"])
        return cls(host, port, database, words["user"], Secret(words.get("password", "")), words.get("sslmode", ""))

    def shown(self) -> str:
        """Return the address without its password."""
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def words(self, *, allow_private: bool) -> Mapping[str, str]:
        """Return what libpq connects with; raise WarehouseError where the host is unknown or not public.

        A public name is looked up once and its address kept, so that it cannot mean another a moment later; the line to it is
        encrypted unless the address says otherwise.
        """
        words = {**_OURS, "host": self.host, "port": self.port, "dbname": self.database, "user": self.user}
        if not allow_private:
            words["hostaddr"] = self._public_address()
        words["sslmode"] = self.sslmode or ("prefer" if allow_private else "require")
        return {**words, "password": self.password.reveal()}

    def _public_address(self) -> str:
        if self.host.startswith("/"):
            raise WarehouseError(f"{self.shown()}: a socket is on this machine; {_ALLOW}")
        try:
            return public_addresses(self.host, self.port)[0]
        except PrivateAddress as error:
            raise WarehouseError(f"{self.shown()}: {error}") from None
        except (OSError, ValueError):
            raise WarehouseError(f"{self.shown()}: no such host; look at its name") from None


def _words_in(text: str) -> Mapping[str, str]:
    """Return the words, or none where they cannot be read: libpq's error would repeat them, and is forgotten here."""
    from psycopg import Error, conninfo  # noqa: PLC0415 - processes that show places need no more than places

    try:
        return {word: str(value) for word, value in conninfo.conninfo_to_dict(text).items() if value is not None}
    except (Error, ValueError):
        return {}
